/**
 * The upload queue. Each entry belongs to the collection it was dropped on, wherever the user goes meanwhile; one that
 * fails stops no other.
 */
import { computed, effect, signal, untracked } from "@preact/signals";
import { Problem, credential, itemsWith, reason, request } from "../api/http";
import type { FileProgress, ModuloFile, Stage } from "../api/types";
import { sendFile } from "../api/upload";
import { identifier } from "../random";
import { collectionId } from "../route";
import { disconnected, onFileChange } from "./files";
import { type KeptUpload, MAX_KEPT_BYTES, alone, forget, forgetAll, keep, kept } from "./kept-uploads";
import { caller, onSignOut } from "./session";
import { toast } from "./toasts";

const AT_ONCE = 3;
const QUOTA = "quota-exceeded";
/** Of one file, not counting those while the server answers nothing. */
const MAX_ATTEMPTS = 5;
const LONGEST_WAIT_SECONDS = 30;
/** How many are put into the browser's database at once: a batch for which there is no room is not kept. */
const KEPT_AT_ONCE = 100;
const POLL_MILLISECONDS = 3_000;
const POLL_MILLISECONDS_A_PAGE = 200;
/** Of those that neither events nor pages told. */
const ASKED_SINGLY = 10;

export type UploadState = "waiting" | "sending" | "processing" | "ready" | "failed" | "cancelled";

export interface Upload {
  readonly id: number;
  readonly collection: string;
  readonly collectionName: string;
  readonly name: string;
  readonly size: number;
  readonly state: UploadState;
  readonly sent: number;
  readonly fileId: string | null;
  readonly stage: Stage | null;
  readonly pages: string;
  readonly problem: string;
  /** The file that already holds the same bytes. */
  readonly duplicateOf: string;
  readonly retryable: boolean;
}

export const uploads = signal<readonly Upload[]>([]);
export const unfinished = computed(() => uploads.value.filter((one) => one.state === "waiting" || one.state === "sending"));
export const queueOpen = signal(false);

/** The bytes of what waits, and the key that makes a repeated upload one. */
const bytes = new Map<number, { readonly file: File; readonly key: string; readonly kept: boolean }>();
const aborts = new Map<number, () => void>();
let lastId = 0;

onFileChange((changes) => follow(changes));
/** Whose uploads these are. */
let owner: string | null = null;

onSignOut((refused) => {
  const open = new Set(unfinished.value.map((one) => one.id));
  uploads.value = uploads.value.map((one) => (open.has(one.id) ? { ...one, state: "waiting", sent: 0, problem: "" } : one));
  for (const abort of aborts.values()) abort();
  if (!refused) clear(); // else the same user goes on after signing in again
});
effect(() => {
  const user = caller.value?.user.id;
  if (user) untracked(() => begin(user));
});
addEventListener("beforeunload", (event) => {
  // The browser asks whether to leave where a reload would lose files.
  if (unfinished.value.some((one) => !bytes.get(one.id)?.kept)) event.preventDefault();
});

/** Go on for a user who has signed in. */
function begin(user: string): void {
  if (user !== owner) {
    clearList();
    owner = user;
    void resume(user);
  } else {
    fill();
    poll();
  }
}

function clear(): void {
  owner = null;
  clearList();
  void forgetAll();
}

function clearList(): void {
  bytes.clear();
  uploads.value = [];
}

/** Go on with what a reload interrupted. */
async function resume(user: string): Promise<void> {
  const left = (await alone) ? await kept(user) : [];
  if (owner !== user || !left.length) return;
  const again = left.map(({ file, key, collection, collectionName, name }) => {
    const upload = waiting(collection, collectionName, name, file.size);
    bytes.set(upload.id, { file, key, kept: true });
    return upload;
  });
  uploads.value = [...uploads.value, ...again];
  queueOpen.value = true;
  toast(`${left.length === 1 ? "An upload goes" : `${left.length.toLocaleString()} uploads go`} on where the page was left.`);
  fill();
}

function waiting(collection: string, collectionName: string, name: string, size: number): Upload {
  lastId += 1;
  return {
    id: lastId, collection, collectionName, name, size, state: "waiting", sent: 0, fileId: null, stage: null, pages: "",
    problem: "", duplicateOf: "", retryable: false,
  };
}

/** A file to upload, and the name it gets: a file of a folder is named after its path. */
export interface Chosen {
  readonly file: File;
  readonly name: string;
}

export function enqueue(collection: { id: string; name: string }, chosen: readonly Chosen[]): void {
  const added = chosen.map(({ file, name }): Upload => {
    const upload = waiting(collection.id, collection.name, name, file.size);
    const key = identifier();
    bytes.set(upload.id, { file, key, kept: false });
    return upload;
  });
  void store(added);
  uploads.value = [...uploads.value, ...added];
  if (added.length) queueOpen.value = true;
  fill();
}

async function store(added: readonly Upload[]): Promise<void> {
  const user = owner;
  if (!user || !(await alone)) return;
  for (let start = 0; start < added.length && user === owner; start += KEPT_AT_ONCE) {
    const batch = new Map<number, KeptUpload>();
    for (const { id, collection, collectionName, name } of added.slice(start, start + KEPT_AT_ONCE)) {
      const held = bytes.get(id); // none once it was sent
      if (held && held.file.size <= MAX_KEPT_BYTES) batch.set(id, { key: held.key, user, collection, collectionName, name, file: held.file });
    }
    if (!batch.size || !(await keep([...batch.values()]))) continue;
    for (const [id, { file, key }] of batch) if (bytes.has(id)) bytes.set(id, { file, key, kept: true });
    const gone = [...batch].filter(([id]) => !bytes.has(id)).map(([, { key }]) => key);
    if (gone.length) void forget(gone); // they were sent meanwhile
  }
}

export function retryUpload(id: number): void {
  change(id, { state: "waiting", problem: "", sent: 0 });
  fill();
}

export function retryFailed(): void {
  const again = (one: Upload): boolean => one.state === "failed" && one.retryable;
  uploads.value = uploads.value.map((one) => (again(one) ? { ...one, state: "waiting", problem: "", sent: 0 } : one));
  fill();
}

export function cancelUpload(id: number): void {
  const upload = uploads.value.find((one) => one.id === id);
  if (upload?.state !== "waiting" && upload?.state !== "sending") return;
  change(id, { state: "cancelled" });
  aborts.get(id)?.();
  drop(id);
}

/** Forget what needs no attention any more. */
export function clearFinished(): void {
  const open = new Set<UploadState>(["waiting", "sending", "processing"]);
  drop(...uploads.value.filter((one) => !open.has(one.state)).map((one) => one.id));
  uploads.value = uploads.value.filter((one) => open.has(one.state));
  if (!uploads.value.length) queueOpen.value = false;
}

/** The bytes are not needed any more. */
function drop(...ids: readonly number[]): void {
  const keys = ids.flatMap((id) => bytes.get(id)?.key ?? []);
  for (const id of ids) bytes.delete(id);
  if (keys.length) void forget(keys);
}

function change(id: number, values: Partial<Upload>): void {
  uploads.value = uploads.value.map((one) => (one.id === id ? { ...one, ...values } : one));
}

function fill(): void {
  if (!credential.value || !caller.value) return; // it goes on after signing in
  let free = AT_ONCE - uploads.value.filter((one) => one.state === "sending").length;
  for (const each of uploads.value) {
    if (free <= 0) return;
    if (each.state !== "waiting") continue;
    free -= 1;
    change(each.id, { state: "sending" });
    void run(each.id);
  }
}

/** Where a quota is full, asking for every other file would be in vain. */
function failRest(collection: string, problem: string): void {
  const waits = (one: Upload): boolean => one.state === "waiting" && one.collection === collection;
  uploads.value = uploads.value.map((one) => (waits(one) ? { ...one, state: "failed", problem, retryable: true } : one));
}

/** Whether the server answers anything: else the fault is not the file's, and every other one would wait as long. */
async function answers(): Promise<boolean> {
  return request("GET", "/me").then(() => true, (error: unknown) => !isAway(error));
}

const isAway = (error: unknown): boolean => error instanceof Problem && (error.status === 0 || error.status >= 502);

const stateOf = (id: number): UploadState | undefined => uploads.value.find((one) => one.id === id)?.state;

async function run(id: number): Promise<void> {
  const upload = uploads.value.find((one) => one.id === id);
  const held = bytes.get(id);
  if (!upload || !held) return;
  const { file, key } = held;
  let answered = 0;
  for (let attempt = 1; stateOf(id) === "sending"; attempt += 1) {
    try {
      const receipt = await sendFile(
        { collection: upload.collection, name: upload.name, file, key },
        { sent: (count) => change(id, { sent: count }), started: (abort) => aborts.set(id, abort) },
      );
      const ready = receipt.status === "ready";
      change(id, {
        state: ready ? "ready" : "processing", sent: file.size, fileId: receipt.file_id, stage: ready ? "ready" : "queued",
        duplicateOf: receipt.duplicate_of ?? "",
      });
      drop(id);
      poll();
    } catch (error) {
      const away = isAway(error) && !(await answers());
      if (!away) answered += 1;
      if (stateOf(id) !== "sending") break; // it was cancelled
      const passing = error instanceof Problem && error.passing;
      const again = passing && error.code !== QUOTA && (away || answered < MAX_ATTEMPTS);
      if (!again) {
        const retryable = !(error instanceof Problem) || error.status !== 422;
        change(id, { state: "failed", problem: reason(error), retryable });
        if (error instanceof Problem && error.code === QUOTA) failRest(upload.collection, error.message);
        if (!retryable) drop(id);
        else if (!passing) void forget([key]); // a reload tries again what may pass
        break;
      }
      const seconds = error.retryAfterSeconds ?? Math.min(2 ** attempt, LONGEST_WAIT_SECONDS);
      change(id, { sent: 0, problem: `${error.message} Next try in ${Math.ceil(seconds)} s.` });
      await new Promise((done) => setTimeout(done, seconds * 1000));
      if (stateOf(id) === "sending") change(id, { problem: "" });
    }
  }
  aborts.delete(id);
  fill();
}

type Told = Pick<FileProgress, "file_id" | "stage" | "pages_done" | "pages_total" | "problem">;

/** Take over what is told of files that were uploaded here. */
function follow(told: readonly Told[]): void {
  const latest = new Map(told.map((one) => [one.file_id, one]));
  const known = (one: Upload): Told | undefined => (one.state === "processing" && one.fileId ? latest.get(one.fileId) : undefined);
  if (!uploads.value.some(known)) return;
  uploads.value = uploads.value.map((one) => {
    const now = known(one);
    return now ? { ...one, ...followed(now) } : one;
  });
}

function followed({ stage, problem, pages_done, pages_total }: Told): Partial<Upload> {
  if (stage === "ready") return { state: "ready", stage };
  if (stage === "failed") return { state: "failed", problem: problem?.detail ?? "The file could not be read.", retryable: false, stage };
  if (stage === "deleting" || stage === "deleted") return { state: "cancelled", stage };
  return { stage, pages: pages_total ? `${pages_done} of ${pages_total} pages` : "" };
}

let polling = false;
/** Ask for the files that no events come for, as their collection is not the one that is shown. */
function poll(wait = POLL_MILLISECONDS): void {
  if (polling) return;
  polling = true;
  setTimeout(async () => {
    let read = 0;
    try {
      const open = uploads.value.filter((one) => one.state === "processing");
      for (const collection of new Set(open.map((one) => one.collection))) {
        read += await look(collection, open.filter((one) => one.collection === collection));
      }
    } catch (error) {
      if (error instanceof Problem && !error.passing) return; // it goes on after signing in
    } finally {
      polling = false;
    }
    if (uploads.value.some((one) => one.state === "processing")) poll(Math.max(POLL_MILLISECONDS, read * POLL_MILLISECONDS_A_PAGE));
  }, wait);
}

/** What has become of these files of a collection, by the first of them where events tell; how many pages were read. */
async function look(collection: string, open: readonly Upload[]): Promise<number> {
  const path = `/collections/${collection}/files`;
  const ids = new Set(open.flatMap((one) => one.fileId ?? []));
  const told = collection === collectionId.value && !disconnected.value;
  const { items, read } = told ? { items: [], read: 0 } : await itemsWith<ModuloFile>(path, ids);
  const all = [...items];
  const missing = new Set(ids);
  for (const each of items) missing.delete(each.id);
  for (const id of [...missing].slice(0, ASKED_SINGLY)) {
    try {
      all.push(await request<ModuloFile>("GET", `${path}/${id}`));
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 404) throw error;
      for (const each of open) if (each.fileId === id) change(each.id, { state: "cancelled" });
    }
  }
  follow(all.map((file) => ({ ...file, file_id: file.id, problem: file.problem ?? null, pages_done: file.pages_done ?? 0 })));
  return read;
}
