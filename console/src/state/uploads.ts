/**
 * The upload queue. Each entry belongs to the collection it was dropped on, wherever the user goes meanwhile; one that
 * fails stops no other.
 */
import { computed, signal } from "@preact/signals";
import { Problem, UNREACHABLE, address, credential, problemOf, reason, reported, request } from "../api/http";
import type { FileProgress, ModuloFile, Stage, UploadReceipt, UploadTicket } from "../api/types";
import { identifier } from "../random";
import { onFileChange } from "./files";
import { onSignOut } from "./session";

const DIRECT_BYTES = 4 * 1024 * 1024;
const AT_ONCE = 3;
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

const bytes = new Map<number, File>();
const aborts = new Map<number, () => void>();
let lastId = 0;

onFileChange((change) => follow(change));
onSignOut(() => {
  for (const abort of aborts.values()) abort();
  bytes.clear();
  uploads.value = [];
});
addEventListener("beforeunload", (event) => {
  if (unfinished.value.length) event.preventDefault(); // the browser asks whether to leave
});

/** A file to upload, and the name it gets: a file of a folder is named after its path. */
export interface Chosen {
  readonly file: File;
  readonly name: string;
}

export function enqueue(collection: { id: string; name: string }, chosen: readonly Chosen[]): void {
  const added = chosen.map(({ file, name }): Upload => {
    const id = ++lastId;
    bytes.set(id, file);
    return {
      id, collection: collection.id, collectionName: collection.name, name, size: file.size, state: "waiting", sent: 0,
      fileId: null, stage: null, pages: "", problem: "", duplicateOf: "", retryable: false,
    };
  });
  uploads.value = [...uploads.value, ...added];
  if (added.length) queueOpen.value = true;
  fill();
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
}

/** Forget what needs no attention any more. */
export function clearFinished(): void {
  const kept = new Set<UploadState>(["waiting", "sending", "processing"]);
  uploads.value = uploads.value.filter((one) => kept.has(one.state));
  if (!uploads.value.length) queueOpen.value = false;
}

function change(id: number, values: Partial<Upload>): void {
  uploads.value = uploads.value.map((one) => (one.id === id ? { ...one, ...values } : one));
}

function fill(): void {
  let free = AT_ONCE - uploads.value.filter((one) => one.state === "sending").length;
  for (const each of uploads.value) {
    if (free <= 0) return;
    if (each.state !== "waiting") continue;
    free -= 1;
    change(each.id, { state: "sending" });
    void run(each.id);
  }
}

const stateOf = (id: number): UploadState | undefined => uploads.value.find((one) => one.id === id)?.state;

async function run(id: number): Promise<void> {
  const upload = uploads.value.find((one) => one.id === id);
  const file = bytes.get(id);
  if (!upload || !file) return;
  const key = identifier();
  for (let attempt = 1; stateOf(id) === "sending"; attempt += 1) {
    try {
      const receipt = await (file.size <= DIRECT_BYTES ? direct(upload, file, key) : presigned(upload, file));
      const ready = receipt.status === "ready";
      change(id, {
        state: ready ? "ready" : "processing", sent: file.size, fileId: receipt.file_id, stage: ready ? "ready" : "queued",
        duplicateOf: receipt.duplicate_of ?? "",
      });
      bytes.delete(id);
      poll();
    } catch (error) {
      if (stateOf(id) !== "sending") break; // it was cancelled
      const again = error instanceof Problem && error.passing && error.code !== "quota-exceeded" && attempt < MAX_ATTEMPTS;
      if (!again) {
        const retryable = !(error instanceof Problem) || error.status !== 422;
        change(id, { state: "failed", problem: reason(error), retryable });
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

type Receipt = Pick<UploadReceipt, "file_id" | "duplicate_of" | "status">;

async function direct(upload: Upload, file: File, key: string): Promise<Receipt> {
  const form = new FormData();
  form.append("file", file, upload.name);
  const headers = { Authorization: `Bearer ${credential.value}`, "Idempotency-Key": key };
  return JSON.parse(await posted(upload.id, address(`/collections/${upload.collection}/files`), form, headers)) as UploadReceipt;
}

async function presigned(upload: Upload, file: File): Promise<Receipt> {
  const json = { name: upload.name, size_bytes: file.size };
  const ticket = await request<UploadTicket>("POST", `/collections/${upload.collection}/uploads`, { json });
  if (!ticket.upload) return ticket;
  const form = new FormData();
  for (const [name, value] of Object.entries(ticket.upload.fields)) form.append(name, value);
  form.append("file", file, upload.name);
  await posted(upload.id, ticket.upload.url, form, {});
  return { file_id: ticket.file_id, status: "processing" };
}

/** XMLHttpRequest, because fetch() does not tell how much was sent. */
function posted(id: number, url: string, form: FormData, headers: Record<string, string>): Promise<string> {
  const used = headers["Authorization"] ? credential.value : "";
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    aborts.set(id, () => call.abort());
    call.open("POST", url);
    for (const [name, value] of Object.entries(headers)) call.setRequestHeader(name, value);
    call.upload.onprogress = (event) => change(id, { sent: event.loaded });
    call.onload = () => {
      if (call.status >= 200 && call.status < 300) resolve(call.responseText);
      else reject(reported(problemOf(call.status, call.responseText, call.getResponseHeader("Retry-After")), used));
    };
    call.onerror = () => reject(new Problem(0, "unreachable", UNREACHABLE));
    call.onabort = () => reject(new Problem(0, "cancelled", "Cancelled."));
    call.send(form);
  });
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
