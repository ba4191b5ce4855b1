// The page: a thin client of the same API that everyone else uses. Text is only ever set, never parsed as HTML.
const byId = (id) => document.getElementById(id);
const DIRECT_BYTES = 4 * 1024 * 1024;
let key = sessionStorage.getItem("key") ?? "";
let timer;

async function api(path, { method = "GET", json, form } = {}) {
  const headers = { Authorization: `Bearer ${key}` };
  if (json) headers["Content-Type"] = "application/json";
  const response = await fetch(`api${path}`, { method, headers, body: json ? JSON.stringify(json) : form });
  const body = response.status === 204 ? null : await response.json();
  if (!response.ok) throw new Error(body.detail ?? response.statusText);
  return body;
}

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

async function attempt(work) {
  byId("problem").hidden = true;
  try {
    return await work();
  } catch (error) {
    byId("problem").textContent = error.message;
    byId("problem").hidden = false;
  }
}

const collection = () => byId("collections").value;

async function showCollections(chosen) {
  const { items } = await api("/collections?limit=100");
  byId("collections").replaceChildren(...items.map((item) => new Option(`${item.name} (${item.role})`, item.id)));
  if (chosen) byId("collections").value = chosen;
  document.querySelector("main").hidden = false;
  await showFiles();
}

async function showFiles() {
  clearTimeout(timer);
  if (!collection()) return byId("listing").replaceChildren();
  const { items } = await api(`/collections/${collection()}/files?limit=100`);
  byId("listing").replaceChildren(...items.map(fileRow));
  if (items.some((file) => !["ready", "failed"].includes(file.stage))) timer = setTimeout(() => attempt(showFiles), 1000);
}

function fileRow(file) {
  const row = element("li");
  const name = element("span", file.name, "name");
  if (file.problem) name.append(element("small", file.problem.detail));
  const stage = file.pages_total && file.stage === "embedding" ? `${file.stage} ${file.pages_done}/${file.pages_total}` : file.stage;
  const remove = element("button", "✕");
  remove.title = `Delete ${file.name}`;
  remove.onclick = () => attempt(async () => {
    await api(`/collections/${collection()}/files/${file.id}`, { method: "DELETE" });
    await showFiles();
  });
  row.append(name, element("span", stage.replace("_", " "), `stage ${file.stage}`), remove);
  return row;
}

async function upload(file) {
  const form = new FormData();
  if (file.size <= DIRECT_BYTES) {
    form.append("file", file);
    return api(`/collections/${collection()}/files`, { method: "POST", form });
  }
  const json = { name: file.name, size_bytes: file.size };
  const { upload } = await api(`/collections/${collection()}/uploads`, { method: "POST", json });
  for (const [name, value] of Object.entries(upload.fields)) form.append(name, value);
  form.append("file", file);
  const response = await fetch(upload.url, { method: "POST", body: form });
  if (!response.ok) throw new Error(`${file.name}: the object store answered ${response.status}`);
}

function showAnswer(found) {
  const parts = [element("p", found.answer, "text")];
  for (const citation of found.citations) {
    const quote = element("blockquote", citation.excerpt);
    quote.append(element("br"), element("small", `[${citation.mark}] ${citation.title}, page ${citation.page_number}`));
    parts.push(quote);
  }
  const { generator, cached } = found.metadata;
  const how = `${generator} · ${found.query_results.length} passages · ${(found.execution_time * 1000).toFixed(0)} ms${cached ? " · cached" : ""}`;
  byId("answer").replaceChildren(...parts, element("small", how));
}

byId("credential").onsubmit = (event) => {
  event.preventDefault();
  key = byId("key").value.trim();
  attempt(async () => {
    await showCollections();
    sessionStorage.setItem("key", key);
  });
};
byId("create").onsubmit = (event) => {
  event.preventDefault();
  attempt(async () => {
    const made = await api("/collections", { method: "POST", json: { name: byId("name").value } });
    byId("name").value = "";
    await showCollections(made.id);
  });
};
byId("collections").onchange = () => attempt(showFiles);
byId("files").onchange = () => attempt(async () => {
  try {
    for (const file of byId("files").files) await upload(file);
  } finally {
    byId("files").value = "";
    await showFiles();
  }
});
byId("ask").onsubmit = (event) => {
  event.preventDefault();
  const button = event.submitter ?? byId("ask").querySelector("button");
  attempt(async () => {
    button.disabled = true;
    try {
      const json = { question: byId("question").value, collection_id: collection() };
      showAnswer(await api("/search", { method: "POST", json }));
    } finally {
      button.disabled = false;
    }
  });
};
if (key) {
  byId("key").value = key;
  attempt(showCollections);
}
