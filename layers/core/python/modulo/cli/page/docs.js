// The API's reference, drawn from openapi.json. Everything is set as text, so that no description can become markup.

const $ = (id) => document.getElementById(id);

function make(name, options = {}, ...children) {
  const made = Object.assign(document.createElement(name), options);
  made.append(...children);
  return made;
}

const code = (value) => make("pre", { textContent: typeof value === "string" ? value : JSON.stringify(value, null, 2) });

function resolve(node) {
  return node?.$ref ? node.$ref.slice(2).split("/").reduce((found, key) => found[key], api) : node;
}

/** A type in words, with a link to the schema where it has a name. */
function typeOf(schema = {}) {
  if (schema.$ref) {
    const name = schema.$ref.split("/").pop();
    return [make("a", { href: `#${name}`, textContent: name })];
  }
  const options = schema.anyOf || schema.oneOf || schema.allOf;
  if (options) return options.flatMap((each, at) => [...(at ? [" or "] : []), ...typeOf(each)]);
  if (schema.type === "array") return ["list of ", ...typeOf(schema.items)];
  if (schema.enum) return [schema.enum.join(" | ")];
  return [schema.format || schema.type || "any"];
}

function table(rows) {
  return make("table", {}, ...rows.map(([name, schema, required, text]) =>
    make("tr", {}, make("th", { textContent: name + (required ? " *" : "") }), make("td", {}, ...typeOf(schema)),
      make("td", { textContent: text || schema.description || "" }))));
}

function answers(responses) {
  return make("ul", {}, ...Object.entries(responses).map(([status, given]) => {
    const response = resolve(given);
    const [type, content] = Object.entries(response.content || {})[0] || [];
    const line = make("li", {}, make("b", { textContent: status }), ` ${response.description} `);
    if (content?.schema) line.append(...typeOf(content.schema), ` (${type})`);
    if (content?.example) line.append(code(content.example));
    return line;
  }));
}

function attempt(method, path, operation) {
  const parameters = (operation.parameters || []).map(resolve);
  const [type, content] = Object.entries(operation.requestBody?.content || {})[0] || [];
  const fields = parameters.map((each) => make("input", { placeholder: each.name, required: each.required, name: each.name }));
  const body = type === "application/json" ? make("textarea", { rows: 6, value: JSON.stringify(content.example, null, 2) })
    : type && make("input", { type: "file" });
  const out = make("pre", { hidden: true });
  const form = make("form", {}, ...fields, ...(body ? [body] : []), make("button", { textContent: "Send" }), out);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    out.hidden = false;
    out.textContent = "…";
    try {
      out.textContent = await sent(method, path, parameters, fields, body);
    } catch (error) {
      out.textContent = String(error);
    }
  });
  return form;
}

async function sent(method, path, parameters, fields, body) {
  const query = new URLSearchParams();
  const headers = new Headers($("key").value ? { Authorization: `Bearer ${$("key").value}` } : {});
  parameters.forEach((each, at) => {
    const value = fields[at].value;
    if (each.in === "path") path = path.replace(`{${each.name}}`, encodeURIComponent(value));
    else if (value && each.in === "query") query.set(each.name, value);
    else if (value) headers.set(each.name, value);
  });
  let content;
  if (body?.type === "file") (content = new FormData()).append("file", body.files[0]);
  else if (body) headers.set("Content-Type", "application/json"), (content = body.value);
  const response = await fetch(path + (query.size ? `?${query}` : ""), { method: method.toUpperCase(), headers, body: content });
  const text = await response.text();
  const json = response.headers.get("content-type")?.includes("json");
  return `${response.status} ${response.statusText}\n${json ? JSON.stringify(JSON.parse(text), null, 2) : text}`;
}

function drawn(method, path, operation) {
  const rows = (operation.parameters || []).map(resolve).map((each) => [each.name, each.schema, each.required, each.description]);
  const [type, content] = Object.entries(operation.requestBody?.content || {})[0] || [];
  const parts = [make("p", { className: "text", textContent: operation.description || "" })];
  if (rows.length) parts.push(make("h4", { textContent: "Parameters" }), table(rows));
  if (content) parts.push(make("h4", { textContent: "Body" }), make("p", {}, ...typeOf(content.schema), ` (${type})`));
  parts.push(make("h4", { textContent: "Answers" }), answers(operation.responses));
  parts.push(make("h4", { textContent: "Try it" }), attempt(method, path, operation));
  const summary = make("summary", {}, make("b", { textContent: method.toUpperCase() }), make("code", { textContent: ` ${path} ` }),
    operation.summary || "");
  return make("details", { id: operation.operationId }, summary, ...parts);
}

let api;
try {
  api = await (await fetch("openapi.json")).json();
  $("about").textContent = `${api.info.description} Version ${api.info.version}.`;
  const operations = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })));
  for (const tag of api.tags) {
    const own = operations.filter(({ operation }) => operation.tags?.[0] === tag.name);
    $("operations").append(make("section", {}, make("h2", { textContent: tag.name }), make("p", { textContent: tag.description }),
      ...own.map(({ method, path, operation }) => drawn(method, path, operation))));
  }
  for (const [name, schema] of Object.entries(api.components.schemas)) {
    const required = new Set(schema.required);
    const rows = Object.entries(schema.properties || {}).map(([key, inner]) => [key, inner, required.has(key)]);
    $("schemas").append(make("details", { id: name }, make("summary", {}, make("code", { textContent: name })),
      make("p", { className: "text", textContent: schema.description || "" }), rows.length ? table(rows) : make("p", {}, ...typeOf(schema))));
  }
  const named = document.getElementById(location.hash.slice(1));
  if (named) named.open = true;
} catch (error) {
  $("problem").hidden = false;
  $("problem").textContent = `The description could not be read: ${error}`;
}
addEventListener("hashchange", () => {
  const named = document.getElementById(location.hash.slice(1));
  if (named?.tagName === "DETAILS") named.open = true;
});
