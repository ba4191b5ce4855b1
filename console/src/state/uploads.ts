/**
 * The upload queue. Each entry belongs to the collection it was dropped on, wherever the user goes meanwhile; one that
 * fails stops no other.
 */
import { computed, effect, signal, untracked } from "@preact/signals";
import { Problem, credential, reason, request } from "../api/http";
import type { FileProgress, ModuloFile, Stage } from "../api/types";
import { sendFile } from "../api/upload";
import { identifier } from "../random";
import { onFileChange } from "./files";
import { alone, forget, forgetAll, keep, kept } from "./kept-uploads";
import { caller, onSignOut } from "./session";
import { toast } from "./toasts";

const AT_ONCE = 3;
const QUOTA = "quota-exceeded";
const MAX_ATTEMPTS = 5;
const POLL_MILLISECONDS = 3_000;
const POLLED_AT_ONCE = 10;

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

onFileChange((change) => follow(change));
/** Whose uploads these are. */
let owner: string | null = null;

onSignOut((refused) => {
  for (const each of unfinished.value) change(each.id, { state: "waiting", sent: 0, problem: "" });
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
  } else fill();
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
  const found = (await alone) ? await kept(user) : [];
  if (owner !== user || !found.length) return;
  for (const { file, key, collection, collectionName, name } of found) {
    const upload = waiting(collection, collectionName, name, file.size);
    bytes.set(upload.id, { file, key, kept: true });
    uploads.value = [...uploads.value, upload];
  }
  queueOpen.value = true;
  toast(`${found.length === 1 ? "An upload goes" : `${found.length} uploads go`} on where the page was left.`);
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
    void store(upload, file, key);
    return upload;
  });
  uploads.value = [...uploads.value, ...added];
  if (added.length) queueOpen.value = true;
  fill();
}

async function store(upload: Upload, file: File, key: string): Promise<void> {
  const { id, collection, collectionName, name } = upload;
  if (!owner || !(await alone)) return;
  const done = await keep({ key, user: owner, collection, collectionName, name, file });
  if (done && bytes.has(id)) bytes.set(id, { file, key, kept: true });
  else if (done) void forget(key); // it was sent meanwhile
}

export function retryUpload(id: number): void {
  change(id, { state: "waiting", problem: "", sent: 0 });
  fill();
}

export function retryFailed(): void {
  for (const each of uploads.value) if (each.state === "failed" && each.retryable) change(each.id, { state: "waiting", problem: "", sent: 0 });
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
  for (const each of uploads.value) if (!open.has(each.state)) bytes.delete(each.id);
  uploads.value = uploads.value.filter((one) => open.has(one.state));
  if (!uploads.value.length) queueOpen.value = false;
}

/** The bytes are not needed any more. */
function drop(id: number): void {
  const held = bytes.get(id);
  bytes.delete(id);
  if (held) void forget(held.key);
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

const stateOf = (id: number): UploadState | undefined => uploads.value.find((one) => one.id === id)?.state;

async function run(id: number): Promise<void> {
  const upload = uploads.value.find((one) => one.id === id);
  const held = bytes.get(id);
  if (!upload || !held) return;
  const { file, key } = held;
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
      if (stateOf(id) !== "sending") break; // it was cancelled
      const again = error instanceof Problem && error.passing && error.code !== QUOTA && attempt < MAX_ATTEMPTS;
      if (!again) {
        const retryable = !(error instanceof Problem) || error.status !== 422;
        change(id, { state: "failed", problem: reason(error), retryable });
        if (error instanceof Problem && error.code === QUOTA) failRest(upload.collection, error.message);
        if (!retryable) drop(id);
        else void forget(key);
        break;
      }
      const seconds = error.retryAfterSeconds ?? 2 ** attempt;
      change(id, { sent: 0, problem: `${error.message} Next try in ${Math.ceil(seconds)} s.` });
      await new Promise((done) => setTimeout(done, seconds * 1000));
      if (stateOf(id) === "sending") change(id, { problem: "" });
    }
  }
  aborts.delete(id);
  fill();
}

/** Take over what is told of a file that was uploaded here. */
function follow(told: Pick<FileProgress, "file_id" | "stage" | "pages_done" | "pages_total" | "problem">): void {
  const upload = uploads.value.find((one) => one.fileId === told.file_id && one.state === "processing");
  if (!upload) return;
  const pages = told.pages_total ? `${told.pages_done} of ${told.pages_total} pages` : "";
  if (told.stage === "ready") change(upload.id, { state: "ready", stage: "ready" });
  else if (told.stage === "failed") change(upload.id, { state: "failed", problem: told.problem?.detail ?? "The file could not be read.", retryable: false, stage: "failed" });
  else if (told.stage === "deleting" || told.stage === "deleted") change(upload.id, { state: "cancelled", stage: told.stage });
  else change(upload.id, { stage: told.stage, pages });
}

let polling = false;
/** Ask for the files that no events come for, as their collection is not the one that is shown. */
function poll(): void {
  if (polling) return;
  polling = true;
  setTimeout(async () => {
    polling = false;
    const open = uploads.value.filter((one) => one.state === "processing").slice(0, POLLED_AT_ONCE);
    for (const each of open) {
      try {
        const file = await request<ModuloFile>("GET", `/collections/${each.collection}/files/${each.fileId}`);
        follow({ ...file, file_id: file.id, problem: file.problem ?? null, pages_done: file.pages_done ?? 0 });
      } catch (error) {
        if (error instanceof Problem && error.status === 404) change(each.id, { state: "cancelled" });
        else if (error instanceof Problem && !error.passing) return;
      }
    }
    if (uploads.value.some((one) => one.state === "processing")) poll();
  }, POLL_MILLISECONDS);
}
