/** A page of a PDF, drawn with the passage's place on it. This module is loaded when the first PDF is shown. */
import { GlobalWorkerOptions, type PDFDocumentProxy, type PageViewport, getDocument } from "pdfjs-dist";
import worker from "pdfjs-dist/build/pdf.worker.min.mjs?url";
import { send } from "../api/http";
import type { Source } from "../state/source";

GlobalWorkerOptions.workerSrc = worker;
const MAX_DENSITY = 2;
/** How much of a passage has to be found where not all of it is: its beginning and its end. */
const ENDS = 30;

/** The document that was shown last: citations often follow each other in one. */
let last: { readonly path: string; readonly document: Promise<PDFDocumentProxy> } | null = null;

/** A rectangle of the page, in fractions of its sides: the page may be shown larger or smaller than it was drawn. */
export interface Mark {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** What is drawn: a page, and on it the passage. */
export type Shown = Pick<Source, "collection" | "file" | "page" | "excerpt" | "boxes">;

export async function drawPage(
  source: Shown,
  canvas: HTMLCanvasElement,
  width: number,
): Promise<readonly Mark[]> {
  const document = await opened(`/collections/${source.collection}/files/${source.file}/content`);
  const page = await document.getPage(source.page);
  const viewport = page.getViewport({ scale: width / page.getViewport({ scale: 1 }).width });
  const density = Math.min(devicePixelRatio || 1, MAX_DENSITY);
  canvas.width = Math.floor(viewport.width * density);
  canvas.height = Math.floor(viewport.height * density);
  await page.render({ canvas, viewport: page.getViewport({ scale: viewport.scale * density }) }).promise;
  const known = source.boxes.filter((box) => box.page === source.page);
  if (known.length) return known.map(({ x0, y0, x1, y1 }) => ({ left: x0, top: y0, width: x1 - x0, height: y1 - y0 }));
  const { items } = await page.getTextContent();
  return marks(items.filter((item) => "str" in item), viewport, source.excerpt);
}

function opened(path: string): Promise<PDFDocumentProxy> {
  if (last?.path !== path) {
    void last?.document.then((document) => document.loadingTask.destroy(), () => undefined);
    const document = read(path);
    last = { path, document };
    document.catch(() => (last = last?.path === path ? null : last));
  }
  return last.document;
}

async function read(path: string): Promise<PDFDocumentProxy> {
  const response = await send("GET", path);
  return getDocument({ data: await response.arrayBuffer(), useSystemFonts: true }).promise;
}

type Page = Pick<PageViewport, "convertToViewportPoint" | "width" | "height">;

interface TextRun {
  readonly str: string;
  readonly transform: readonly number[];
  readonly width: number;
  readonly height: number;
}

/**
 * Where a passage stands, as far as its text is found. Spaces, hyphens, ligatures and bars between a table's cells are
 * compared away, as two readers of a PDF differ in them.
 */
export function marks(runs: readonly TextRun[], viewport: Page, excerpt: string): Mark[] {
  const places: { readonly run: number; readonly at: number }[] = [];
  let text = "";
  runs.forEach((run, index) => {
    [...run.str].forEach((character, at) => {
      for (const each of plain(character)) {
        text += each;
        places.push({ run: index, at });
      }
    });
  });
  const range = found(text, plain(excerpt));
  if (!range) return [];
  const parts = new Map<number, [number, number]>();
  for (const { run, at } of places.slice(range[0], range[1])) parts.set(run, [Math.min(parts.get(run)?.[0] ?? at, at), at + 1]);
  return [...parts].flatMap(([index, [from, to]]) => {
    const run = runs[index];
    return run ? [mark(run, from, to, viewport)] : [];
  });
}

function plain(text: string): string {
  // UTF-16 units, as `places` has one entry for each.
  return text.normalize("NFKC").toLowerCase().replace(/[\s|\u00ad\u2010-\u2015-]/g, "");
}

function found(text: string, wanted: string): readonly [number, number] | null {
  if (!wanted) return null;
  const whole = text.indexOf(wanted);
  if (whole >= 0) return [whole, whole + wanted.length];
  const start = text.indexOf(wanted.slice(0, ENDS));
  if (start < 0) return null;
  const tail = wanted.slice(-ENDS);
  const end = text.indexOf(tail, start);
  const near = end >= 0 && end - start < wanted.length * 1.5;
  return near ? [start, end + tail.length] : [start, Math.min(start + wanted.length, text.length)];
}

/** Letters are taken to be equally wide, which is near enough for a mark. */
function mark(run: TextRun, from: number, to: number, viewport: Page): Mark {
  const length = [...run.str].length || 1;
  const [, , , , x = 0, y = 0] = run.transform;
  const height = run.height || Math.abs(run.transform[3] ?? 10);
  const [left, right] = [from, to].map((at) => x + (run.width * at) / length) as [number, number];
  const [x1, y1] = viewport.convertToViewportPoint(left, y - height * 0.22) as [number, number];
  const [x2, y2] = viewport.convertToViewportPoint(right, y + height * 0.92) as [number, number];
  return {
    left: Math.min(x1, x2) / viewport.width, top: Math.min(y1, y2) / viewport.height,
    width: Math.abs(x2 - x1) / viewport.width, height: Math.abs(y2 - y1) / viewport.height,
  };
}
