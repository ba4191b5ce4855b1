// A thin client of the public API. Text is always set as textContent and never parsed as HTML.
const byId = (id) => document.getElementById(id);
const DIRECT_BYTES = 4 * 1024 * 1024;
let key = sessionStorage.getItem("key") ?? "";
let subscription = new AbortController();

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
  attempt(showFiles);
}

// Server-sent events read with fetch(), because EventSource cannot send the API key as a header.
async function* events(path, signal) {
  let [id, wait] = ["", 2000];
  for (;;) {
    try {
      const headers = { Authorization: `Bearer ${key}`, ...(id && { "Last-Event-ID": id }) };
      const response = await fetch(`api${path}`, { headers, signal });
      if (response.status < 500 && !response.ok) throw Object.assign(new Error((await response.json()).detail), { final: true });
      let text = "";
      for await (const chunk of chunksOf(response.body.pipeThrough(new TextDecoderStream()))) {
        const blocks = (text + chunk).split("\n\n");
        text = blocks.pop();
        for (const block of blocks) {
          const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s)));
          id = fields.id ?? id;
          wait = Number(fields.retry ?? wait);
          if (fields.data) yield { event: fields.event, data: JSON.parse(fields.data) };
        }
      }
    } catch (error) {
      if (error.final || signal.aborted) throw error;
    }
    await new Promise((done) => setTimeout(done, wait));
  }
}

async function* chunksOf(stream) {
  const reader = stream.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
}

async function showFiles() {
  subscription.abort();
  const { signal } = (subscription = new AbortController());
  byId("listing").replaceChildren();
  if (!collection()) return;
  const path = `/collections/${collection()}/events`;
  try {
    for await (const { event, data } of events(path, signal)) {
      if (event === "snapshot") byId("listing").replaceChildren(...data.files.map(fileRow).reverse());
      else if (event === "file") showFile(data);
      else throw new Error(data.detail);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function showFile(file) {
  const before = document.getElementById(file.file_id);
  if (["deleting", "deleted"].includes(file.stage)) before?.remove();
  else if (before) before.replaceWith(fileRow(file));
  else byId("listing").prepend(fileRow(file));
}

function pagesOf(numbers) {
  if (numbers.length <= 6) return `page ${numbers.join(", ")}`;
  return numbers.length < 100 ? `${numbers.length} pages` : "100 or more pages";
}

function fileRow(file) {
  const row = element("li");
  row.id = file.file_id;
  const name = element("span", file.name, "name");
  if (file.problem) name.append(element("small", file.problem.detail));
  if (file.next_attempt_at) name.append(element("small", `next try at ${new Date(file.next_attempt_at).toLocaleTimeString()}`));
  if (file.recognised_pages) name.append(element("small", `text recognised on ${pagesOf(file.recognised_pages)}`));
  if (file.scanned_pages && !file.warnings) name.append(element("small", `no text on ${pagesOf(file.scanned_pages)}`));
  for (const warning of file.warnings ?? []) name.append(element("small", warning.detail, "warning"));
  const stage = file.pages_total && file.stage === "embedding" ? `${file.stage} ${file.pages_done}/${file.pages_total}` : file.stage;
  if (file.estimated_ready_at) row.title = `ready about ${new Date(file.estimated_ready_at).toLocaleTimeString()}`;
  const remove = element("button", "✕");
  remove.title = `Delete ${file.name}`;
  remove.onclick = () => attempt(async () => {
    await api(`/collections/${collection()}/files/${file.file_id}`, { method: "DELETE" });
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
byId("add").onsubmit = (event) => {
  event.preventDefault();
  attempt(async () => {
    await api(`/collections/${collection()}/urls`, { method: "POST", json: { url: byId("url").value } });
    byId("url").value = "";
  });
};
byId("collections").onchange = () => attempt(showFiles);
byId("files").onchange = () => attempt(async () => {
  try {
    for (const file of byId("files").files) await upload(file);
  } finally {
    byId("files").value = "";
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
