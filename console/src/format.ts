/** Sizes, dates and types in words. */
import type { ModuloFile, Stage } from "./api/types";

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];
const STEP = 1024;

/** A number of bytes in the unit that suits it, in steps of 1,024 as limits are set; as the command shows it. */
export function size(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= STEP && unit < UNITS.length - 1) [value, unit] = [value / STEP, unit + 1];
  return `${value < 10 && unit ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString()} ${number === 1 ? one : many}`;
}

const NAMED = 3;

/** Names, of which the first are told. */
export function listed(names: readonly string[]): string {
  const more = names.length - NAMED;
  return names.slice(0, NAMED).join(", ") + (more > 0 ? ` and ${more.toLocaleString()} more` : "");
}

const STEPS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

/** How long ago, up to a week; the date before that. */
export function ago(time: string): string {
  const seconds = (Date.parse(time) - Date.now()) / 1000;
  if (Math.abs(seconds) > 7 * 86_400) return new Date(time).toLocaleDateString(undefined, { dateStyle: "medium" });
  for (const [unit, length] of STEPS) if (Math.abs(seconds) >= length) return relative.format(Math.round(seconds / length), unit);
  return "just now";
}

export function moment(time: string): string {
  return new Date(time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

/** The unit stays beside its number where the line breaks. */
export function seconds(value: number): string {
  return value < 1 ? `${Math.round(value * 1000)}\u00a0ms` : `${value.toFixed(1)}\u00a0s`;
}

const TYPES: Readonly<Record<string, string>> = {
  "application/pdf": "PDF",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "Word",
  "application/vnd.openxmlformats-officedocument.presentationml.presentation": "PowerPoint",
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "Excel",
  "application/zip": "ZIP archive",
  "application/json": "JSON",
  "application/xml": "XML",
  "text/plain": "Text",
  "text/markdown": "Markdown",
  "text/html": "Web page",
  "text/csv": "CSV",
  "message/rfc822": "Email",
};

export function type(file: ModuloFile): string {
  const known = TYPES[file.media_type];
  if (known) return known;
  const extension = /\.([a-z0-9]{1,6})$/i.exec(file.name)?.[1];
  return extension ? extension.toUpperCase() : file.media_type;
}

const STAGES: Readonly<Record<Stage, string>> = {
  awaiting_upload: "Waiting for upload",
  fetching: "Fetching",
  queued: "Queued",
  parsing: "Reading",
  embedding: "Embedding",
  indexing: "Indexing",
  ready: "Ready",
  failed: "Failed",
  deleting: "Deleting",
  deleted: "Deleted",
};

export function stage(name: Stage): string {
  return STAGES[name] ?? name;
}

export function pageCount(file: ModuloFile): number | null {
  return file.document?.total_pages ?? file.pages_total ?? null;
}
