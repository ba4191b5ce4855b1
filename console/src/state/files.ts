/** The files of the collection that is shown, kept up to date by its events. */
import { effect, signal } from "@preact/signals";
import { eventsOf } from "../api/events";
import { Problem, pages, reason, request, send, signedIn } from "../api/http";
import type { DeletionRequested, FileProgress, ModuloFile, UploadReceipt } from "../api/types";
import { collectionId } from "../route";
import { reload } from "./collections";
import { caller } from "./session";
import { toast } from "./toasts";

const FIRST_WAIT = 2_000;
const LONGEST_WAIT = 30_000;
const UNDO_MILLISECONDS = 7_000;
const GONE = new Set(["deleting", "deleted"]);

/** By id; null until the first page was read. */
export const files = signal<ReadonlyMap<string, ModuloFile> | null>(null);
export const filesProblem = signal("");
/** Whether the server has stopped telling of changes, and is tried again. */
export const disconnected = signal(false);

let watching = new AbortController();
/** Deletions that can still be undone: the file's id, and what sends the request. */
const pending = new Map<string, { timer: number; send: (keepalive: boolean) => void }>();
/** Told of every change of a file, whichever collection it is in. */
const listeners: ((change: FileProgress) => void)[] = [];

export function onFileChange(listener: (change: FileProgress) => void): void {
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
        if (event.event === "snapshot") for (const each of (JSON.parse(event.data) as { files: FileProgress[] }).files) apply(each);
        else if (event.event === "file") apply(JSON.parse(event.data) as FileProgress);
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

function apply(change: FileProgress): void {
  for (const each of listeners) each(change);
  const known = files.value?.get(change.file_id);
  if (!files.value) return;
  if (GONE.has(change.stage)) return remove(change.file_id);
  if (known && known.updated_at > change.updated_at) return;
  const settled = change.stage === "ready" || change.stage === "failed";
  if (known) {
    const { file_id: _, problem, pages_total, chunk_count, estimated_ready_at, ...rest } = change;
    const merged: ModuloFile = {
      ...known,
      ...rest,
      ...(problem ? { problem } : {}),
      ...(pages_total != null ? { pages_total } : {}),
      ...(chunk_count != null ? { chunk_count } : {}),
      ...(estimated_ready_at ? { estimated_ready_at } : {}),
    };
    put(merged);
    if (known.stage === change.stage && known.generation === change.generation) return;
    if (!settled) return;
  }
  void refresh(change.file_id);
}

/** Read one file again: events do not tell all of it. */
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

let counting: number | undefined;
function scheduleCounts(id: string): void {
  clearTimeout(counting);
  counting = window.setTimeout(() => void reload(id), 1_000);
}

function put(file: ModuloFile): void {
  if (!files.value) return;
  if (GONE.has(file.stage)) return remove(file.id);
  files.value = new Map(files.value).set(file.id, file);
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
