/** The files of the collection that is shown, kept up to date by its events. */
import { effect, signal } from "@preact/signals";
import { eventsOf } from "../api/events";
import { Problem, itemsWith, pages, reason, request, send, signedIn } from "../api/http";
import type { DeletionRequested, FileProgress, ModuloFile, UploadReceipt } from "../api/types";
import { collectionId } from "../route";
import { reload } from "./collections";
import { caller } from "./session";
import { toast } from "./toasts";

const FIRST_WAIT = 2_000;
const LONGEST_WAIT = 30_000;
const UNDO_MILLISECONDS = 7_000;
/** Changes are taken over together: while a folder is read, there are dozens a second. */
const GATHER_MILLISECONDS = 250;
const GONE = new Set(["deleting", "deleted"]);

/** By id; null until the first page was read. */
export const files = signal<ReadonlyMap<string, ModuloFile> | null>(null);
export const filesProblem = signal("");
/** Whether the server has stopped telling of changes, and is tried again. */
export const disconnected = signal(false);

let watching = new AbortController();
/** Deletions that can still be undone: the file's id, and what sends the request. */
const pending = new Map<string, { timer: number; send: (keepalive: boolean) => void }>();
/** Told of the changes of files, whichever collection they are in. */
const listeners: ((changes: readonly FileProgress[]) => void)[] = [];

export function onFileChange(listener: (changes: readonly FileProgress[]) => void): void {
  listeners.push(listener);
}

effect(() => {
  const id = collectionId.value;
  watching.abort();
  files.value = null;
  filesProblem.value = "";
  disconnected.value = false;
  if (!id || !signedIn.value) return;
  watching = new AbortController();
  void follow(id, watching.signal);
});

addEventListener("pagehide", () => {
  for (const each of pending.values()) each.send(true);
  pending.clear();
});

/** Read the list again. */
export async function loadFiles(): Promise<void> {
  const id = collectionId.value;
  if (id) await load(id, watching.signal);
}

async function follow(id: string, signal: AbortSignal): Promise<void> {
  let [last, wait] = ["", FIRST_WAIT];
  const gather = gathering(id, signal);
  await load(id, signal);
  while (!signal.aborted) {
    try {
      const headers: Record<string, string> = last ? { "Last-Event-ID": last } : {};
      const response = await send("GET", `/collections/${id}/events`, { headers, signal });
      disconnected.value = false;
      let pause = FIRST_WAIT;
      for await (const event of eventsOf(response)) {
        if (signal.aborted) return;
        last = event.id ?? last;
        pause = event.retry ?? pause;
        if (event.event === "snapshot") gather((JSON.parse(event.data) as { files: FileProgress[] }).files);
        else if (event.event === "file") gather([JSON.parse(event.data) as FileProgress]);
        else if (event.event === "end") return;
      }
      wait = pause;
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Problem && !error.passing) return;
      disconnected.value = true;
      wait = Math.min(wait * 2, LONGEST_WAIT);
    }
    await new Promise((done) => setTimeout(done, wait));
  }
}

async function load(id: string, signal: AbortSignal): Promise<void> {
  try {
    const found = new Map<string, ModuloFile>();
    for await (const page of pages<ModuloFile>(`/collections/${id}/files`, {}, signal)) {
      for (const each of page) if (!GONE.has(each.stage)) found.set(each.id, each);
      if (signal.aborted) return;
      files.value = new Map(found);
    }
    files.value = found;
    filesProblem.value = "";
  } catch (error) {
    if (!signal.aborted) filesProblem.value = reason(error);
  }
}

/** What takes over changes of a collection in a moment, with those that come meanwhile. */
function gathering(id: string, signal: AbortSignal): (changes: readonly FileProgress[]) => void {
  let gathered: FileProgress[] = [];
  const incomplete = new Set<string>();
  let reading = false;
  const take = async (): Promise<void> => {
    const all = gathered;
    gathered = [];
    for (const each of listeners) each(all);
    if (signal.aborted) return;
    for (const each of apply(all)) incomplete.add(each);
    if (reading) return; // what was added is read after what is being read
    reading = true;
    while (incomplete.size && !signal.aborted) {
      const ids = new Set(incomplete);
      incomplete.clear();
      await refreshAll(id, ids, signal);
    }
    reading = false;
  };
  return (changes) => {
    if (!gathered.length) setTimeout(() => void take(), GATHER_MILLISECONDS);
    gathered.push(...changes);
  };
}

/** Take over changes; the ids of files of which events do not tell enough. */
function apply(changes: readonly FileProgress[]): ReadonlySet<string> {
  const incomplete = new Set<string>();
  if (!files.value) return incomplete;
  const next = new Map(files.value);
  for (const change of changes) {
    const known = next.get(change.file_id);
    if (GONE.has(change.stage)) {
      next.delete(change.file_id);
      incomplete.delete(change.file_id);
    } else if (!known) incomplete.add(change.file_id);
    else if (known.updated_at <= change.updated_at) {
      next.set(known.id, merged(known, change));
      const moved = known.stage !== change.stage || known.generation !== change.generation;
      if (moved && (change.stage === "ready" || change.stage === "failed")) incomplete.add(known.id);
    }
  }
  files.value = next;
  return incomplete;
}

function merged(known: ModuloFile, change: FileProgress): ModuloFile {
  const { file_id: _, problem, pages_total, chunk_count, estimated_ready_at, ...rest } = change;
  return {
    ...known,
    ...rest,
    ...(problem ? { problem } : {}),
    ...(pages_total != null ? { pages_total } : {}),
    ...(chunk_count != null ? { chunk_count } : {}),
    ...(estimated_ready_at ? { estimated_ready_at } : {}),
  };
}

/** Read files again: events do not tell all of them. */
async function refreshAll(id: string, ids: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
  const missing = new Set(ids);
  try {
    const { items } = await itemsWith<ModuloFile>(`/collections/${id}/files`, ids, signal);
    if (signal.aborted) return;
    put(...items);
    for (const each of items) missing.delete(each.id);
  } catch {
    // Each is asked for.
  }
  for (const each of missing) if (!signal.aborted) await refresh(each);
  scheduleCounts(id);
}

/** Read one file again. */
export async function refresh(fileId: string): Promise<void> {
  const id = collectionId.value;
  if (!id) return;
  try {
    const fresh = await request<ModuloFile>("GET", `/collections/${id}/files/${fileId}`, { signal: watching.signal });
    if (collectionId.value === id) put(fresh);
    scheduleCounts(id);
  } catch (error) {
    if (error instanceof Problem && error.status === 404) remove(fileId);
  }
}

const counting = new Set<string>();
/** Ask for the counts of a collection in a second, once, however many changes come until then. */
function scheduleCounts(id: string): void {
  if (counting.has(id)) return;
  counting.add(id);
  setTimeout(() => (counting.delete(id), void reload(id)), 1_000);
}

function put(...fresh: readonly ModuloFile[]): void {
  if (!files.value) return;
  const next = new Map(files.value);
  for (const each of fresh) if (GONE.has(each.stage)) next.delete(each.id); else next.set(each.id, each);
  files.value = next;
}

function remove(fileId: string): void {
  if (!files.value?.has(fileId)) return;
  const kept = new Map(files.value);
  kept.delete(fileId);
  files.value = kept;
}

/** Whether a file's deletion waits for its undo to pass; it is not shown meanwhile. */
export const hidden = signal<ReadonlySet<string>>(new Set());

/** Hide the files at once and delete them when the time for an undo is over. */
export function deleteFiles(chosen: readonly ModuloFile[]): void {
  for (const file of chosen) {
    const remembered = caller.value;
    const erase = (keepalive: boolean): void => {
      pending.delete(file.id);
      if (caller.value !== remembered) return; // who deleted it has signed out
      request<DeletionRequested>("DELETE", `/collections/${file.collection_id}/files/${file.id}`, { keepalive })
        .then(() => remove(file.id))
        .catch((error: unknown) => toast(`${file.name} was not deleted. ${reason(error)}`, "error"))
        .finally(() => (show([file.id]), scheduleCounts(file.collection_id)));
    };
    pending.set(file.id, { timer: window.setTimeout(() => erase(false), UNDO_MILLISECONDS), send: erase });
  }
  hidden.value = new Set([...hidden.value, ...chosen.map((one) => one.id)]);
  const [first] = chosen;
  const what = chosen.length === 1 && first ? first.name : `${chosen.length} files`;
  toast(`Deleted ${what}.`, "note", () => {
    for (const file of chosen) {
      clearTimeout(pending.get(file.id)?.timer);
      pending.delete(file.id);
    }
    show(chosen.map((one) => one.id));
  });
}

function show(ids: readonly string[]): void {
  hidden.value = new Set([...hidden.value].filter((one) => !ids.includes(one)));
}

export async function retryFile(file: ModuloFile): Promise<void> {
  try {
    await request<UploadReceipt>("POST", `/collections/${file.collection_id}/files/${file.id}/retry`);
    toast(`${file.name} is read again.`);
    await refresh(file.id);
  } catch (error) {
    toast(`${file.name} could not be retried. ${reason(error)}`, "error");
  }
}
