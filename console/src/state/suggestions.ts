/** Questions to begin with, made of the headings of the documents. */
import type { ModuloFile } from "../api/types";

const MOST = 3;
const NUMBER = /^[\d.]+\s+/;

export function suggestions(files: readonly ModuloFile[]): string[] {
  const found: string[] = [];
  const ready = files.filter((one) => one.stage === "ready" && (one.document?.headings?.length ?? 0) > 1);
  for (const file of ready.sort((one, other) => one.name.localeCompare(other.name))) {
    const [title, ...headings] = file.document?.headings ?? [];
    const heading = headings.map((one) => one.replace(NUMBER, "")).find((one) => one.length > 5 && one.length < 40);
    if (heading && title) found.push(`What does “${short(file.document?.title ?? title)}” say about “${heading}”?`);
    if (found.length === MOST) break;
  }
  return found;
}

function short(title: string): string {
  return title.length > 60 ? `${title.slice(0, 57)}…` : title;
}
