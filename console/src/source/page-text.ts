/** The text of a page, put together from the chunks that searches see. Positions count code points, as the server does. */
import { pages } from "../api/http";
import type { FileChunk } from "../api/types";

/** A part of a page below its heading. */
export interface Section {
  readonly heading: string;
  readonly text: string;
  /** Where the text begins on its page. */
  readonly start: number;
  readonly page: number;
}

export interface PageText {
  readonly page: number;
  readonly sections: readonly Section[];
}

/** The pages of a file, in order, as they arrive. */
export async function* readPages(collection: string, file: string, signal: AbortSignal): AsyncGenerator<PageText> {
  let chunks: FileChunk[] = [];
  for await (const some of pages<FileChunk>(`/collections/${collection}/files/${file}/chunks`, {}, signal)) {
    for (const chunk of some) {
      const [first] = chunks;
      if (first && first.page_number !== chunk.page_number) {
        yield { page: first.page_number, sections: sectionsOf(chunks) };
        chunks = [];
      }
      chunks.push(chunk);
    }
  }
  const [first] = chunks;
  if (first) yield { page: first.page_number, sections: sectionsOf(chunks) };
}

/** One page's text; null where the file has no text there. */
export async function readPage(collection: string, file: string, page: number, signal: AbortSignal): Promise<PageText | null> {
  for await (const each of readPages(collection, file, signal)) {
    if (each.page === page) return each;
    if (each.page > page) break;
  }
  return null;
}

/** Chunks overlap and repeat the head of a table that goes on; a section holds each character once. */
export function sectionsOf(chunks: readonly FileChunk[]): Section[] {
  const found: Section[] = [];
  let end = 0;
  for (const chunk of [...chunks].sort((one, other) => one.start_index - other.start_index)) {
    const points = Array.from(chunk.text);
    const own = points.slice(Math.max(0, points.length - (chunk.end_index - chunk.start_index)));
    const from = Math.max(chunk.start_index, end);
    if (chunk.end_index <= from) continue;
    const text = own.slice(from - chunk.start_index).join("");
    const last = found[found.length - 1];
    if (last && last.heading === chunk.heading && from <= end) found[found.length - 1] = { ...last, text: last.text + text };
    else found.push({ heading: chunk.heading, text, start: from, page: chunk.page_number });
    end = chunk.end_index;
  }
  return found;
}

/** The heading to draw above a section: none where the page is still, or again, below it, or the text begins with it. */
export function headingOf(sections: readonly Section[], at: number): string {
  const [section, before] = [sections[at], sections[at - 1]];
  if (!section || before?.heading.startsWith(section.heading)) return "";
  const heading = section.heading.split(" > ").pop() ?? "";
  return section.text.startsWith(heading) ? "" : heading;
}

/** A text cut where a mark begins and ends: before, marked, after. */
export function cut(section: Section, start: number, end: number): readonly [string, string, string] {
  const points = Array.from(section.text);
  const [from, to] = [start, end].map((at) => Math.min(Math.max(at - section.start, 0), points.length)) as [number, number];
  return [points.slice(0, from).join(""), points.slice(from, to).join(""), points.slice(to).join("")];
}
