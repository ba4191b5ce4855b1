/** The source that is shown beside the answers. */
import { effect, signal } from "@preact/signals";
import type { PageBox } from "../api/types";
import { collectionId, route } from "../route";

/** A passage of a document; positions count the code points of its page's text. */
export interface Source {
  readonly collection: string;
  readonly file: string;
  readonly title: string;
  readonly page: number;
  readonly start: number;
  readonly end: number;
  readonly excerpt: string;
  /** Where it stands on its page; none where the server does not know. */
  readonly boxes: readonly PageBox[];
  readonly label: string;
}

/** The source that is shown, and those of the same answer, between which arrows move. */
export const source = signal<{ readonly all: readonly Source[]; readonly at: number } | null>(null);

export function show(all: readonly Source[], at: number): void {
  source.value = { all, at };
}

export function step(by: number): void {
  const now = source.value;
  const at = (now?.at ?? 0) + by;
  if (now && at >= 0 && at < now.all.length) source.value = { ...now, at };
}

export function close(): void {
  source.value = null;
}

let before = collectionId.value;
effect(() => {
  const shown = route.value;
  if (collectionId.value !== before || shown.screen !== "ask") close();
  before = collectionId.value;
});
