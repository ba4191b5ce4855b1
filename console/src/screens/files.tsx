/** The files of a collection: a table to filter and sort, and the way to add more. */
import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Collection, ModuloFile } from "../api/types";
import { count, pageCount, stage, type } from "../format";
import { AddAddress } from "../parts/add-address";
import { Empty, IconButton, Loading, Notice } from "../parts/controls";
import { type Column, Table, warningsOf } from "../parts/file-table";
import { Icon } from "../parts/icons";
import { editable } from "../state/collections";
import { fromInput } from "../state/dropped";
import { deleteFiles, disconnected, files, filesProblem, hidden, loadFiles } from "../state/files";
import { enqueue } from "../state/uploads";

const PAGE_SIZE = 50;

type StateFilter = "all" | "ready" | "busy" | "failed" | "warnings";
type Key = string | number;

const KEYS: Readonly<Record<Column, (file: ModuloFile) => Key>> = {
  name: (file) => file.name.toLocaleLowerCase(),
  type: (file) => type(file),
  size: (file) => file.size_bytes,
  pages: (file) => pageCount(file) ?? -1,
  state: (file) => stage(file.stage),
  updated: (file) => Date.parse(file.updated_at),
};

const FILTERS: Readonly<Record<StateFilter, (file: ModuloFile) => boolean>> = {
  all: () => true,
  ready: (file) => file.stage === "ready",
  busy: (file) => file.stage !== "ready" && file.stage !== "failed",
  failed: (file) => file.stage === "failed",
  warnings: (file) => warningsOf(file).length > 0,
};

const collator = new Intl.Collator(undefined, { numeric: true });

export function Files({ collection }: { readonly collection: Collection }) {
  const text = useSignal("");
  const state = useSignal<StateFilter>("all");
  const order = useSignal<{ by: Column; down: boolean }>({ by: "updated", down: true });
  const page = useSignal(0);
  const adding = useSignal(false);
  const chosen = useSignal<ReadonlySet<string>>(new Set());
  const all = files.value && [...files.value.values()].filter((one) => !hidden.value.has(one.id));
  const found = sorted(matching(all ?? [], text.value, state.value), order.value.by, order.value.down);
  const pageCountOf = Math.max(1, Math.ceil(found.length / PAGE_SIZE));
  const at = Math.min(page.value, pageCountOf - 1);
  const shown = found.slice(at * PAGE_SIZE, (at + 1) * PAGE_SIZE);
  const selected = found.filter((one) => chosen.value.has(one.id));
  const may = editable(collection);
  return (
    <main class="page wide" id="main" tabIndex={-1}>
      <header class="page-head">
        <div class="grow">
          <h1>Files</h1>
          <p class="muted">{all ? count(all.length, "file") : "…"} in <span dir="auto">{collection.name}</span></p>
        </div>
        {may && <AddButtons collection={collection} onAddress={() => (adding.value = true)} />}
      </header>
      {filesProblem.value && <Notice action="Try again" onAction={() => void loadFiles()}>{filesProblem.value}</Notice>}
      {disconnected.value && !filesProblem.value && <Notice kind="warning">The server does not answer. What is shown may be old; the console tries again by itself.</Notice>}
      {!all && !filesProblem.value && <Loading what="Loading the files" />}
      {all?.length === 0 && <NoFiles may={may} />}
      {all && all.length > 0 && (
        <>
          <Tools text={text} state={state} all={all} onChange={() => (page.value = 0)} />
          {selected.length > 0 && may && (
            <div class="selection row" role="status">
              <span class="grow">{count(selected.length, "file")} selected</span>
              <button type="button" class="quiet" onClick={() => (chosen.value = new Set())}>Clear selection</button>
              <button type="button" class="danger" onClick={() => (deleteFiles(selected), (chosen.value = new Set()))}><Icon name="trash" size={16} /> Delete</button>
            </div>
          )}
          {found.length === 0 ? (
            <Empty icon="search" title="No file matches">
              <p>Change the filter, or show all files.</p>
              <button type="button" class="quiet" onClick={() => ((text.value = ""), (state.value = "all"))}>Show all files</button>
            </Empty>
          ) : (
            <Table rows={shown} order={order} chosen={chosen} may={may} collection={collection} />
          )}
          {pageCountOf > 1 && (
            <nav class="pager row" aria-label="Pages of the list">
              <IconButton icon="back" label="Previous page" disabled={at === 0} onClick={() => (page.value = at - 1)} />
              <span class="muted">{at * PAGE_SIZE + 1} to {at * PAGE_SIZE + shown.length} of {found.length.toLocaleString()}</span>
              <IconButton icon="chevron" label="Next page" disabled={at === pageCountOf - 1} onClick={() => (page.value = at + 1)} />
            </nav>
          )}
        </>
      )}
      {adding.value && <AddAddress collection={collection} onClose={() => (adding.value = false)} />}
    </main>
  );
}

function matching(all: readonly ModuloFile[], text: string, state: StateFilter): ModuloFile[] {
  const words = text.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  return all.filter((file) => {
    const names = [file.name, ...(file.aliases ?? []), file.document?.title ?? "", type(file)].join(" ").toLocaleLowerCase();
    return FILTERS[state](file) && words.every((word) => names.includes(word));
  });
}

function sorted(found: ModuloFile[], by: Column, down: boolean): ModuloFile[] {
  const key = KEYS[by];
  const compare = (one: Key, other: Key): number =>
    typeof one === "number" && typeof other === "number" ? one - other : collator.compare(String(one), String(other));
  const keyed = found.map((file) => ({ file, key: key(file) })); // each made once: there may be thousands
  keyed.sort((one, other) => (compare(one.key, other.key) || collator.compare(one.file.name, other.file.name)) * (down ? -1 : 1));
  return keyed.map((one) => one.file);
}

function AddButtons({ collection, onAddress }: { readonly collection: Collection; readonly onAddress: () => void }) {
  const input = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  useEffect(() => folder.current?.setAttribute("webkitdirectory", ""), []);
  const take = (event: { currentTarget: HTMLInputElement }): void => {
    const { files: list } = event.currentTarget;
    if (list) enqueue(collection, fromInput(list));
    event.currentTarget.value = "";
  };
  return (
    <div class="row wrap">
      <input ref={input} type="file" multiple class="sr-only" tabIndex={-1} aria-label="Files to upload" onChange={take} />
      <input ref={folder} type="file" multiple class="sr-only" tabIndex={-1} aria-label="Folder to upload" onChange={take} />
      <button type="button" class="quiet" onClick={onAddress}><Icon name="link" size={18} /> Add by address</button>
      <button type="button" class="quiet wide-only" onClick={() => folder.current?.click()}><Icon name="files" size={18} /> Upload folder</button>
      <button type="button" class="primary" onClick={() => input.current?.click()}><Icon name="upload" size={18} /> Upload files</button>
    </div>
  );
}

function NoFiles({ may }: { readonly may: boolean }) {
  if (!may) return <Empty icon="files" title="No files yet"><p>You may read this collection. Its editors add files.</p></Empty>;
  return (
    <Empty icon="upload" title="Drop files here">
      <p>Drop files or whole folders anywhere on this page, or choose “Upload files” above. PDF, Word, PowerPoint, Excel, web pages, Markdown, text, email and ZIP archives are read.</p>
    </Empty>
  );
}

function Tools({ text, state, all, onChange }: { readonly text: Signal<string>; readonly state: Signal<StateFilter>; readonly all: readonly ModuloFile[]; readonly onChange: () => void }) {
  const number = (filter: StateFilter): number => all.filter(FILTERS[filter]).length;
  return (
    <div class="tools row wrap">
      <label class="search grow">
        <Icon name="search" size={18} />
        <input id="filter" type="search" aria-label="Filter files by name or type" aria-keyshortcuts="/" placeholder="Filter by name or type" value={text} onInput={(event) => ((text.value = event.currentTarget.value), onChange())} />
      </label>
      <label class="select">
        <span class="sr-only">Show files by state</span>
        <select value={state.value} onChange={(event) => ((state.value = event.currentTarget.value as StateFilter), onChange())}>
          <option value="all">All states ({all.length})</option>
          <option value="ready">Ready ({number("ready")})</option>
          <option value="busy">In progress ({number("busy")})</option>
          <option value="failed">Failed ({number("failed")})</option>
          <option value="warnings">With warnings ({number("warnings")})</option>
        </select>
      </label>
    </div>
  );
}
