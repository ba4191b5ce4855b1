/** A file: its text as it was read, what is wrong with it, and what is known about it. */
import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Problem, reason, request, send } from "../api/http";
import type { Collection, ModuloFile } from "../api/types";
import { count, moment, pageCount, size, type } from "../format";
import { Empty, Loading, Notice } from "../parts/controls";
import { State } from "../parts/file-table";
import { Icon } from "../parts/icons";
import { go, paths } from "../route";
import { type PageText, headingOf, readPages } from "../source/page-text";
import { editable } from "../state/collections";
import { deleteFiles, files, refresh, retryFile } from "../state/files";
import { toast } from "../state/toasts";

const MAX_PAGES = 200;

export function FileScreen({ collection, id, page }: { readonly collection: Collection; readonly id: string; readonly page: number | null }) {
  const fetched = useSignal<ModuloFile | null>(null);
  const missing = useSignal(false);
  const problem = useSignal("");
  const load = (): void => {
    problem.value = "";
    request<ModuloFile>("GET", `/collections/${collection.id}/files/${id}`)
      .then((found) => (fetched.value = found))
      .catch((error: unknown) => {
        if (error instanceof Problem && error.status === 404) missing.value = true;
        else problem.value = reason(error);
      });
  };
  useEffect(load, [id]);
  const file = files.value?.get(id) ?? fetched.value;
  return (
    <main class="page" id="main" tabIndex={-1}>
      <p><a class="back" href={paths.files(collection.id)}><Icon name="back" size={16} /> Files</a></p>
      {missing.value && !file && (
        <Empty icon="file" title="This file is not here">
          <p>It was deleted, or its collection is not shared with you.</p>
          <a class="button primary" href={paths.files(collection.id)}>See the collection's files</a>
        </Empty>
      )}
      {problem.value && !file && <Notice action="Try again" onAction={load}>{problem.value}</Notice>}
      {!file && !missing.value && !problem.value && <Loading what="Loading the file" />}
      {file && <Details file={file} collection={collection} page={page} />}
    </main>
  );
}

function Details({ file, collection, page }: { readonly file: ModuloFile; readonly collection: Collection; readonly page: number | null }) {
  const warnings = file.document?.warnings ?? [];
  const leftOut = file.document?.left_out ?? [];
  const may = editable(collection);
  const retryable = file.stage === "failed" && (file.problem?.retryable ?? false);
  const erase = (): void => {
    deleteFiles([file]);
    go(paths.files(collection.id));
  };
  return (
    <>
      <header class="page-head">
        <div class="grow">
          <h1 class="break" dir="auto">{file.name}</h1>
          <p class="facts"><State file={file} /><span>{type(file)}</span><span>{size(file.size_bytes)}</span>{pageCount(file) ? <span>{count(pageCount(file) ?? 0, "page")}</span> : null}</p>
        </div>
        <div class="row wrap">
          {file.live_generation !== undefined && <a class="button quiet" href={paths.askFile(collection.id, file.id)}><Icon name="chat" size={18} /> Ask this file</a>}
          <button type="button" class="quiet" onClick={() => void download(file)}><Icon name="download" size={18} /> Download</button>
          {may && <button type="button" class="quiet" onClick={erase}><Icon name="trash" size={18} /> Delete</button>}
        </div>
      </header>
      {file.problem && (
        <Notice {...(may && retryable ? { action: "Retry", onAction: () => void retryFile(file) } : {})}>
          {file.problem.detail}{file.stage === "failed" && !retryable && " Trying again will not help."}
        </Notice>
      )}
      {warnings.map((one) => <Notice kind="warning" key={one.code}>{one.detail}</Notice>)}
      {leftOut.length > 0 && <Notice kind="warning">Left out of the archive: {leftOut.map((one) => `${one.path} (${one.detail})`).join("; ")}</Notice>}
      <div class="file-columns">
        <Text file={file} page={page} />
        <aside class="file-facts" aria-label="About this file">
          <h2>About</h2>
          <Facts file={file} />
          <Aliases file={file} may={may} />
          <Attributes file={file} may={may} />
        </aside>
      </div>
    </>
  );
}

function Text({ file, page }: { readonly file: ModuloFile; readonly page: number | null }) {
  const read = useSignal<readonly PageText[]>([]);
  const problem = useSignal("");
  const done = useSignal(false);
  const wanted = useRef<HTMLElement>(null);
  const generation = file.live_generation;
  useEffect(() => {
    if (generation === undefined) return;
    const stopping = new AbortController();
    const all = async (): Promise<void> => {
      read.value = [];
      done.value = false;
      try {
        for await (const each of readPages(file.collection_id, file.id, stopping.signal)) {
          read.value = [...read.value, each];
          if (read.value.length >= MAX_PAGES) break;
        }
      } catch (error) {
        if (!stopping.signal.aborted) problem.value = reason(error);
      }
      done.value = true;
    };
    void all();
    return () => stopping.abort();
  }, [file.id, generation]);
  const found = page !== null && read.value.some((one) => one.page === page);
  useEffect(() => wanted.current?.scrollIntoView({ block: "start" }), [found]);
  return (
    <section class="file-text" aria-label="Text as it was read">
      <h2>Text as it was read</h2>
      {generation === undefined && <p class="muted">{file.stage === "failed" ? "The file could not be read, so there is no text." : "The text appears here once the file is ready."}</p>}
      {generation !== undefined && !done.value && !read.value.length && <Loading what="Loading the text" />}
      {problem.value && <Notice>{problem.value}</Notice>}
      {read.value.map((each) => (
        <section class="paper" key={each.page} {...(each.page === page ? { ref: wanted } : {})}>
          <p class="page-number muted small">Page {each.page}</p>
          {each.sections.map((section, at) => {
            const heading = headingOf(each.sections, at);
            return (
              <div key={at}>
                {heading && <h3>{heading}</h3>}
                <p class="page-text">{section.text}</p>
              </div>
            );
          })}
        </section>
      ))}
      {read.value.length >= MAX_PAGES && <p class="muted">The first {MAX_PAGES} pages are shown. Download the file to read on.</p>}
    </section>
  );
}

function Facts({ file }: { readonly file: ModuloFile }) {
  const { document: about } = file;
  const rows: readonly (readonly [string, string | number | null | undefined])[] = [
    ["Title", about?.title],
    ["Author", about?.author],
    ["Language", about?.language],
    ["Passages", file.chunk_count],
    ["Fetched from", file.source_url],
    ["Generation", file.live_generation && file.live_generation !== file.generation ? `${file.generation}, searches use ${file.live_generation}` : file.generation],
    ["Added", moment(file.created_at)],
    ["Updated", moment(file.updated_at)],
  ];
  return <dl class="facts-list">{rows.filter(([, value]) => value).map(([name, value]) => <div key={name}><dt>{name}</dt><dd class="break">{value}</dd></div>)}</dl>;
}

/** Other names under which the same bytes were uploaded. */
function Aliases({ file, may }: { readonly file: ModuloFile; readonly may: boolean }) {
  const aliases = file.aliases ?? [];
  if (!aliases.length) return null;
  const remove = async (alias: string): Promise<void> => {
    try {
      await request("DELETE", `/collections/${file.collection_id}/files/${file.id}/aliases/${encodeURIComponent(alias)}`);
      await refresh(file.id);
    } catch (error) {
      toast(reason(error), "error");
    }
  };
  return (
    <section class="attributes" aria-label="Other names">
      <h2>Other names</h2>
      <ul>
        {aliases.map((one) => (
          <li class="row" key={one}>
            <span class="grow break" dir="auto">{one}</span>
            {may && <button type="button" class="icon-button" aria-label={`Remove the name ${one}`} onClick={() => void remove(one)}><Icon name="close" size={14} /></button>}
          </li>
        ))}
      </ul>
    </section>
  );
}

type Value = string | number | boolean | readonly string[];

function Attributes({ file, may }: { readonly file: ModuloFile; readonly may: boolean }) {
  const name = useSignal("");
  const value = useSignal("");
  const problem = useSignal("");
  const now = useSignal<Readonly<Record<string, Value>>>(file.attributes ?? {});
  useEffect(() => void (now.value = file.attributes ?? {}), [file.attributes]);
  const save = async (attributes: Readonly<Record<string, Value>>): Promise<void> => {
    problem.value = "";
    try {
      const changed = await request<ModuloFile>("PATCH", `/collections/${file.collection_id}/files/${file.id}`, { json: { attributes } });
      now.value = changed.attributes ?? {};
      name.value = value.value = "";
    } catch (error) {
      problem.value = reason(error);
    }
  };
  const add = (event: Event): void => {
    event.preventDefault();
    if (name.value.trim()) void save({ ...now.value, [name.value.trim()]: value.value.trim() });
  };
  const without = (key: string): Readonly<Record<string, Value>> => Object.fromEntries(Object.entries(now.value).filter(([one]) => one !== key));
  const rows = Object.entries(now.value);
  return (
    <section class="attributes" aria-label="Attributes">
      <h2>Attributes</h2>
      {!rows.length && <p class="muted small">None. Questions can be limited to files by their attributes.</p>}
      <ul>
        {rows.map(([key, each]) => (
          <li class="row" key={key}>
            <span class="grow break"><strong>{key}</strong> {Array.isArray(each) ? each.join(", ") : String(each)}</span>
            {may && <button type="button" class="icon-button" aria-label={`Remove attribute ${key}`} onClick={() => void save(without(key))}><Icon name="close" size={14} /></button>}
          </li>
        ))}
      </ul>
      {problem.value && <Notice>{problem.value}</Notice>}
      {may && (
        <form class="attribute-form" onSubmit={add}>
          <Field label="Name" value={name} />
          <Field label="Value" value={value} />
          <button type="submit" class="quiet" disabled={!name.value.trim()}>Add</button>
        </form>
      )}
    </section>
  );
}

function Field({ label, value }: { readonly label: string; readonly value: Signal<string> }) {
  return <input aria-label={`Attribute: ${label.toLowerCase()}`} placeholder={label} value={value} onInput={(event) => (value.value = event.currentTarget.value)} />;
}

/** The object store is asked for the bytes, which the page then hands to the browser under the file's name. */
async function download(file: ModuloFile): Promise<void> {
  try {
    const response = await send("GET", `/collections/${file.collection_id}/files/${file.id}/content`);
    const url = URL.createObjectURL(await response.blob());
    const link = document.createElement("a");
    link.href = url;
    link.download = file.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  } catch (error) {
    toast(`${file.name} could not be downloaded. ${reason(error)}`, "error");
  }
}
