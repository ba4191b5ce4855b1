// The unmodified JavaScript client of OpenAI, given another address and a key of Modulo's.
// tests/functions/test_javascript.py runs it, and ingests the files meanwhile.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { before, describe, test } from "node:test";

import OpenAI, { toFile } from "openai";

const { MODULO_URL: baseURL, MODULO_KEY: apiKey } = process.env;
const client = new OpenAI({ baseURL, apiKey, timeout: 60_000, maxRetries: 2 });
const question = "How deep is the sea?";
const messages = [{ role: "user", content: question }];
const fast = { pollIntervalMs: 50 };

const text = (content, name) => toFile(Buffer.from(content), name);
const keep = async (content, name) => client.files.create({ file: await text(content, name), purpose: "assistants" });

async function all(pages) {
  const found = [];
  for await (const one of pages) found.push(one);
  return found;
}

describe("files and vector stores", () => {
  test("the quickstart of file search needs no other change", async () => {
    const file = await keep("The sea is 11 kilometres deep.", "sea.txt");
    assert.deepEqual([file.object, file.filename, file.bytes], ["file", "sea.txt", 30]);
    const store = await client.vectorStores.create({ name: "quickstart" });
    const attached = await client.vectorStores.files.createAndPoll(store.id, { file_id: file.id }, fast);
    assert.deepEqual([attached.id, attached.status], [file.id, "completed"]);
    const found = await client.vectorStores.search(store.id, { query: question });
    assert.equal(found.data[0].content[0].text, "The sea is 11 kilometres deep.");
    const texts = await all(client.vectorStores.files.content(file.id, { vector_store_id: store.id }));
    assert.deepEqual(texts.map((one) => one.text), ["The sea is 11 kilometres deep."]);
    assert.ok((await client.vectorStores.files.delete(file.id, { vector_store_id: store.id })).deleted);
    assert.ok((await client.files.delete(file.id)).deleted);
    assert.ok((await client.vectorStores.delete(store.id)).deleted);
  });

  test("batches are made, watched and cancelled", async () => {
    const store = await client.vectorStores.create({ name: "batches" });
    const kept = await Promise.all(["a", "b"].map((name) => keep(`This is ${name}.`, `${name}.txt`)));
    const ids = kept.map((file) => file.id);
    const batch = await client.vectorStores.fileBatches.createAndPoll(store.id, { file_ids: ids }, fast);
    assert.deepEqual([batch.status, batch.file_counts.completed], ["completed", 2]);
    const listed = await all(client.vectorStores.fileBatches.listFiles(batch.id, { vector_store_id: store.id, limit: 1 }));
    assert.deepEqual(new Set(listed.map((file) => file.id)), new Set(ids));
    const files = [await text("This is c.", "c.txt")];
    const sent = await client.vectorStores.fileBatches.uploadAndPoll(store.id, { files }, fast);
    assert.equal(sent.file_counts.completed, 1);
    const cancelled = await client.vectorStores.fileBatches.cancel(batch.id, { vector_store_id: store.id });
    assert.equal(cancelled.file_counts.completed, 2, "what was read stays");
  });

  test("a file is uploaded in parts", async () => {
    const contents = ["The sea is ", "11 kilometres ", "deep."];
    const bytes = contents.join("").length;
    const upload = await client.uploads.create({ filename: "parts.txt", purpose: "assistants", bytes, mime_type: "text/plain" });
    const parts = [];
    for (const content of contents) {
      parts.push(await client.uploads.parts.create(upload.id, { data: await text(content, "part") }));
    }
    const done = await client.uploads.complete(upload.id, { part_ids: parts.map((part) => part.id) });
    assert.equal(done.status, "completed");
    const store = await client.vectorStores.create({ name: "parts" });
    await client.vectorStores.files.createAndPoll(store.id, { file_id: done.file.id }, fast);
    const [found] = await all(client.vectorStores.files.content(done.file.id, { vector_store_id: store.id }));
    assert.equal(found.text, contents.join(""));
  });

  test("lists are paged by the client", async () => {
    const kept = await Promise.all(Array.from({ length: 5 }, (_, n) => keep("text", `page ${n}.txt`)));
    const listed = await all(client.files.list({ limit: 2 }));
    for (const file of kept) assert.ok(listed.some((one) => one.id === file.id));
    const stores = await Promise.all([1, 2, 3].map((n) => client.vectorStores.create({ name: `page ${n}` })));
    const found = await all(client.vectorStores.list({ limit: 1 }));
    for (const store of stores) assert.ok(found.some((one) => one.id === store.id));
    const page = await client.vectorStores.list({ limit: 1 });
    assert.ok(page.hasNextPage());
    assert.notEqual((await page.getNextPage()).data[0].id, page.data[0].id);
  });
});

describe("answers", () => {
  const model = "modulo/answers";
  let tools;

  before(async () => {
    const store = await client.vectorStores.create({ name: "answers" });
    const file = await text("The sea is 11 kilometres deep.", "sea.txt");
    assert.equal((await client.vectorStores.files.uploadAndPoll(store.id, file, fast)).status, "completed");
    tools = [{ type: "file_search", vector_store_ids: [store.id], max_num_results: 2 }];
  });

  test("any chat client answers from a collection", async () => {
    const ids = (await all(client.models.list())).map((one) => one.id);
    assert.ok(ids.includes(model));
    const { choices, usage } = await client.chat.completions.create({ model, messages });
    assert.match(choices[0].message.content, /11 kilometres/);
    assert.equal(choices[0].message.annotations[0].url_citation.title, "sea.txt");
    assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
  });

  test("a streamed answer is read event by event", async () => {
    const options = { model, messages, stream: true, stream_options: { include_usage: true } };
    const told = await all(await client.chat.completions.create(options));
    assert.match(told.map((part) => part.choices[0]?.delta.content ?? "").join(""), /11 kilometres/);
    assert.deepEqual([told.at(-1).choices, typeof told.at(-1).usage.total_tokens], [[], "number"]);
    const runner = client.chat.completions.stream({ model, messages });
    assert.match(await runner.finalContent(), /11 kilometres/);
  });

  test("responses are created, continued, retrieved and deleted", async () => {
    const ask = { model: "any", tools, include: ["file_search_call.results"] };
    const first = await client.responses.create({ ...ask, input: question });
    assert.match(first.output_text, /11 kilometres/);
    assert.deepEqual(first.output[0].results.map((one) => one.filename), ["sea.txt"]);
    assert.equal(first.output[1].content[0].annotations[0].filename, "sea.txt");
    const second = await client.responses.create({ ...ask, input: "Why is it?", previous_response_id: first.id });
    assert.equal((await client.responses.retrieve(second.id)).id, second.id);
    const items = await all(client.responses.inputItems.list(second.id));
    assert.equal(items[0].content[0].text, "Why is it?");
    await client.responses.delete(first.id);
    await assert.rejects(client.responses.retrieve(first.id), OpenAI.NotFoundError);
  });

  test("a streamed response is put together", async () => {
    const kinds = [];
    const stream = client.responses.stream({ model: "any", tools, input: question, store: false });
    for await (const event of stream) kinds.push(event.type);
    assert.deepEqual([kinds[0], kinds.at(-1)], ["response.created", "response.completed"]);
    assert.match((await stream.finalResponse()).output_text, /11 kilometres/);
  });

  test("conversations are kept and paged", async () => {
    const items = ["one", "two", "three"].map((content) => ({ type: "message", role: "user", content }));
    const conversation = await client.conversations.create({ items });
    const listed = await all(client.conversations.items.list(conversation.id, { limit: 2, order: "asc" }));
    assert.deepEqual(listed.map((item) => item.content[0].text), ["one", "two", "three"]);
    assert.ok((await client.conversations.delete(conversation.id)).deleted);
  });

  test("a text is embedded", async () => {
    const made = await client.embeddings.create({ model: "bge-small-en-v1.5", input: ["sea", "hill"] });
    assert.deepEqual(made.data.map((one) => one.embedding.length), [384, 384]);
  });
});

describe("errors", () => {
  test("each is of its class and names the field", async () => {
    const unknown = "00000000-0000-0000-0000-000000000000";
    const missing = await client.vectorStores.retrieve(unknown).catch((error) => error);
    assert.ok(missing instanceof OpenAI.NotFoundError);
    assert.deepEqual([missing.status, missing.code, missing.type], [404, "not_found", "invalid_request_error"]);
    const refused = await client.chat.completions.create({ model: "a", messages, n: 2 }).catch((error) => error);
    assert.ok(refused instanceof OpenAI.BadRequestError);
    assert.equal(refused.param, "n");
    const name = randomBytes(8).toString("hex");
    await client.vectorStores.create({ name });
    await assert.rejects(client.vectorStores.create({ name }), OpenAI.ConflictError);
    const stranger = new OpenAI({ baseURL, apiKey: "mod_wrong" });
    await assert.rejects(all(stranger.models.list()), OpenAI.AuthenticationError);
  });

  test("a passing error is tried again", async () => {
    let calls = 0;
    const counting = (url, init) => {
      calls += 1;
      return fetch(url, init);
    };
    const patient = client.withOptions({ fetch: counting });
    const made = await patient.embeddings.create({ model: "bge-small-en-v1.5", input: "busy at first" });
    assert.equal(made.data.length, 1);
    assert.equal(calls, 2);
  });

  test("an answer that breaks off is an error", async () => {
    const broken = client.chat.completions.create({ model: "modulo/none", messages, stream: true });
    await assert.rejects(async () => all(await broken), OpenAI.NotFoundError);
  });
});
