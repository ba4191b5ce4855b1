/** The files of a collection: a table to filter and sort, and the way to add more. */
import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { reason, request } from "../api/http";
import type { Collection, ModuloFile, UploadReceipt } from "../api/types";
import { ago, count, moment, pageCount, size, stage, type } from "../format";
import { Bar, Dialog, Empty, IconButton, Loading, Notice } from "../parts/controls";
import { Icon } from "../parts/icons";
import { identifier } from "../random";
import { paths } from "../route";
import { editable } from "../state/collections";
import { fromInput } from "../state/dropped";
import { deleteFiles, disconnected, files, filesProblem, hidden, loadFiles, retryFile } from "../state/files";
import { toast } from "../state/toasts";
import { enqueue } from "../state/uploads";

const PAGE_SIZE = 50;

type Column = "name" | "type" | "size" | "pages" | "state" | "updated";
type StateFilter = "all" | "ready" | "busy" | "failed" | "warnings";
type Key = string | number;

const COLUMNS: readonly { readonly id: Column; readonly title: string; readonly number?: boolean }[] = [
  { id: "name", title: "Name" },
  { id: "type", title: "Type" },
  { id: "size", title: "Size", number: true },
  { id: "pages", title: "Pages", number: true },
  { id: "state", title: "State" },
  { id: "updated", title: "Updated" },
];

const KEYS: Readonly<Record<Column, (file: ModuloFile) => Key>> = {
  name: (file) => file.name.toLocaleLowerCase(),
  type: (file) => type(file),
  size: (file) => file.size_bytes,
  pages: (file) => pageCount(file) ?? -1,
  state: (file) => stage(file.stage),
  updated: (file) => file.updated_at,
};

const FILTERS: Readonly<Record<StateFilter, (file: ModuloFile) => boolean>> = {
  all: () => true,
  ready: (file) => file.stage === "ready",
  busy: (file) => file.stage !== "ready" && file.stage !== "failed",
  failed: (file) => file.stage === "failed",
  warnings: (file) => warningsOf(file).length > 0,
};

const collator = new Intl.Collator(undefined, { numeric: true });

function warningsOf(file: ModuloFile): readonly string[] {
  const { warnings = [], left_out: leftOut = [] } = file.document ?? {};
  return [...warnings.map((one) => one.detail), ...leftOut.map((one) => `${one.path}: ${one.detail}`)];
}

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
  return found.sort((one, other) => (compare(key(one), key(other)) || collator.compare(one.name, other.name)) * (down ? -1 : 1));
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

interface TableProps {
  readonly rows: readonly ModuloFile[];
  readonly order: Signal<{ by: Column; down: boolean }>;
  readonly chosen: Signal<ReadonlySet<string>>;
  readonly may: boolean;
  readonly collection: Collection;
}

function Table({ rows, order, chosen, may, collection }: TableProps) {
  const allChosen = rows.length > 0 && rows.every((one) => chosen.value.has(one.id));
  const toggle = (ids: readonly string[], on: boolean): void => {
    const next = new Set(chosen.value);
    for (const id of ids) if (on) next.add(id); else next.delete(id);
    chosen.value = next;
  };
  const sort = (by: Column): void => {
    const same = order.value.by === by;
    order.value = { by, down: same ? !order.value.down : by === "updated" || by === "size" };
  };
  return (
    <div class="table-box">
      <table class="files">
        <caption class="sr-only">Files of {collection.name}</caption>
        <thead>
          <tr>
            {may && <th class="pick"><input type="checkbox" aria-label="Select all files on this page" checked={allChosen} onChange={(event) => toggle(rows.map((one) => one.id), event.currentTarget.checked)} /></th>}
            {COLUMNS.map(({ id, title, number }) => {
              const { by, down } = order.value;
              const direction = by === id ? (down ? "descending" : "ascending") : "none";
              return (
                <th key={id} scope="col" class={`${id} ${number ? "number" : ""}`} aria-sort={direction}>
                  <button type="button" onClick={() => sort(id)}>{title}{by === id && <span class={`sort ${down ? "" : "up"}`}><Icon name="down" size={14} /></span>}</button>
                </th>
              );
            })}
            <th class="actions"><span class="sr-only">Actions</span></th>
          </tr>
        </thead>
        <tbody>
          {rows.map((file) => <Row key={file.id} file={file} may={may} chosen={chosen.value.has(file.id)} onChoose={(on) => toggle([file.id], on)} />)}
        </tbody>
      </table>
    </div>
  );
}

function Row({ file, may, chosen, onChoose }: { readonly file: ModuloFile; readonly may: boolean; readonly chosen: boolean; readonly onChoose: (on: boolean) => void }) {
  const pages = pageCount(file);
  const warnings = warningsOf(file);
  const retry = file.stage === "failed" && (file.problem?.retryable ?? false);
  return (
    <tr class={chosen ? "chosen" : ""}>
      {may && <td class="pick"><input type="checkbox" aria-label={`Select ${file.name}`} checked={chosen} onChange={(event) => onChoose(event.currentTarget.checked)} /></td>}
      <th scope="row" class="name">
        <a href={paths.file(file.collection_id, file.id)} dir="auto">{file.name}</a>
        <span class="sub muted small">{type(file)} · {size(file.size_bytes)}{pages ? ` · ${count(pages, "page")}` : ""}</span>
        {file.problem && <span class="bad small">{file.problem.detail}</span>}
        {warnings.length > 0 && <span class="warn small" title={warnings.join("\n")}><Icon name="warning" size={13} /> {warnings[0]}{warnings.length > 1 ? ` And ${warnings.length - 1} more.` : ""}</span>}
      </th>
      <td class="type">{type(file)}</td>
      <td class="size number">{size(file.size_bytes)}</td>
      <td class="pages number">{pages ?? ""}</td>
      <td class="state"><State file={file} /></td>
      <td class="updated muted"><time dateTime={file.updated_at} title={moment(file.updated_at)}>{ago(file.updated_at)}</time></td>
      <td class="actions">
        {may && retry && <IconButton icon="retry" size={16} label={`Retry ${file.name}`} onClick={() => void retryFile(file)} />}
        {may && <IconButton icon="trash" size={16} label={`Delete ${file.name}`} onClick={() => deleteFiles([file])} />}
      </td>
    </tr>
  );
}

export function State({ file }: { readonly file: ModuloFile }) {
  if (file.stage === "ready") return <span class="badge good"><Icon name="check" size={14} />Ready</span>;
  if (file.stage === "failed") return <span class="badge bad"><Icon name="warning" size={14} />Failed</span>;
  const total = file.pages_total ?? 0;
  return (
    <span class="progress">
      <span class="badge busy"><span class="spinner" aria-hidden="true" />{stage(file.stage)}</span>
      {total > 1 && <Bar value={(file.pages_done ?? 0) / total} label={`${file.name}: ${file.pages_done} of ${total} pages`} />}
    </span>
  );
}

function AddAddress({ collection, onClose }: { readonly collection: Collection; readonly onClose: () => void }) {
  const url = useSignal("");
  const problem = useSignal("");
  const busy = useSignal(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    busy.value = true;
    problem.value = "";
    try {
      const headers = { "Idempotency-Key": identifier() };
      await request<UploadReceipt>("POST", `/collections/${collection.id}/urls`, { json: { url: url.value.trim() }, headers });
      toast("The address is fetched.");
      onClose();
      void loadFiles();
    } catch (error) {
      problem.value = reason(error);
      busy.value = false;
    }
  };
  return (
    <Dialog title="Add by address" onClose={onClose}>
      <form class="stack" onSubmit={(event) => void submit(event)}>
        {problem.value && <Notice>{problem.value}</Notice>}
        <label class="field">
          <span>Address of a page or document</span>
          <input type="url" required maxLength={2000} autofocus placeholder="https://" value={url} onInput={(event) => (url.value = event.currentTarget.value)} />
        </label>
        <footer class="row end">
          <button type="button" class="quiet" onClick={onClose}>Cancel</button>
          <button type="submit" class="primary" disabled={busy.value}>Add</button>
        </footer>
      </form>
    </Dialog>
  );
}
