// A round trip by the types that openapi-typescript makes of infra/openapi.json.

import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";

import createClient from "openapi-fetch";

import type { components, paths } from "./schema.ts";

type File = components["schemas"]["File"];

const api = createClient<paths>({
  baseUrl: process.env["MODULO_URL"] ?? "",
  headers: { authorization: `Bearer ${process.env["MODULO_KEY"]}` },
});

const { data: collection, response } = await api.POST("/api/collections", { body: { name: "harbour" } });
assert.equal(response.status, 201);
assert.ok(collection);
const path = { collection_id: collection.id };

const added = await api.POST("/api/collections/{collection_id}/documents", {
  params: { path },
  body: { name: "sea.txt", text: "The sea is 11 kilometres deep." },
});
assert.ok(added.data, JSON.stringify(added.error));

let file: File | undefined;
for (let tries = 0; tries < 600 && file?.stage !== "ready"; tries += 1) {
  await setTimeout(50);
  const found = await api.GET("/api/collections/{collection_id}/files/{file_id}", {
    params: { path: { ...path, file_id: added.data.file_id } },
  });
  file = found.data;
}
assert.equal(file?.stage, "ready");

const answered = await api.POST("/api/search", { body: { question: "How deep is the sea?", collection_id: collection.id } });
assert.match(answered.data?.answer ?? "", /11 kilometres/);

const missing = await api.GET("/api/collections/{collection_id}", {
  params: { path: { collection_id: "00000000-0000-0000-0000-000000000000" } },
});
assert.equal(missing.error?.type, "urn:modulo:problem:not-found");

const deleted = await api.DELETE("/api/collections/{collection_id}", { params: { path } });
assert.equal(deleted.response.status, 202);
console.log("round trip done");
