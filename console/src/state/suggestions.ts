/**
 * Questions to begin with: headings of the documents, as they are. "What is said about …?" around one would name what no
 * passage says; rerankers then find the section that answers it irrelevant.
 */
import type { ModuloFile } from "../api/types";

const MOST = 3;
const NUMBER = /^[\d.]+\s+/;

export function suggestions(files: readonly ModuloFile[]): string[] {
  const found: string[] = [];
  const ready = files.filter((one) => one.stage === "ready" && (one.document?.headings?.length ?? 0) > 1);
  for (const file of ready.sort((one, other) => one.name.localeCompare(other.name))) {
    const headings = (file.document?.headings ?? []).slice(1).map((one) => one.replace(NUMBER, ""));
    const heading = headings.find((one) => one.length > 5 && one.length < 60);
    if (heading && !found.includes(heading)) found.push(heading);
    if (found.length === MOST) break;
  }
  return found;
}
