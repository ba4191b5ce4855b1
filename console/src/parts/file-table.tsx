/** The table of files. */
import type { Signal } from "@preact/signals";
import type { Collection, ModuloFile } from "../api/types";
import { ago, count, moment, pageCount, size, stage, type } from "../format";
import { paths } from "../route";
import { deleteFiles, retryFile } from "../state/files";
import { Bar, IconButton } from "./controls";
import { Icon } from "./icons";

export type Column = "name" | "type" | "size" | "pages" | "state" | "updated";
const COLUMNS: readonly { readonly id: Column; readonly title: string; readonly number?: boolean }[] = [
  { id: "name", title: "Name" },
  { id: "type", title: "Type" },
  { id: "size", title: "Size", number: true },
  { id: "pages", title: "Pages", number: true },
  { id: "state", title: "State" },
  { id: "updated", title: "Updated" },
];

/** What is wrong with the text of a file that is ready all the same. */
export function warningsOf(file: ModuloFile): readonly string[] {
  const { warnings = [], left_out: leftOut = [] } = file.document ?? {};
  return [...warnings.map((one) => one.detail), ...leftOut.map((one) => `${one.path}: ${one.detail}`)];
}

interface TableProps {
  readonly rows: readonly ModuloFile[];
  readonly order: Signal<{ by: Column; down: boolean }>;
  readonly chosen: Signal<ReadonlySet<string>>;
  readonly may: boolean;
  readonly collection: Collection;
}

export function Table({ rows, order, chosen, may, collection }: TableProps) {
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
