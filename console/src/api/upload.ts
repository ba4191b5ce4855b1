/** Sending a file: small ones to the API, larger ones to the object store by a presigned form. */
import { Problem, UNREACHABLE, address, authorized, problemOf, request } from "./http";
import type { UploadReceipt, UploadTicket } from "./types";

const DIRECT_BYTES = 4 * 1024 * 1024;
/** Forms escape quotes as these without escaping the sign itself: such a name goes in JSON. */
const AMBIGUOUS = /%(22|0D|0A)/;

export interface FileToSend {
  readonly collection: string;
  readonly name: string;
  readonly file: File;
  /** Makes a repeated request the same upload. */
  readonly key: string;
}

interface Watcher {
  readonly sent: (bytes: number) => void;
  readonly started: (abort: () => void) => void;
}

type Receipt = Pick<UploadReceipt, "file_id" | "duplicate_of" | "status">;

export function sendFile(upload: FileToSend, watcher: Watcher): Promise<Receipt> {
  return upload.file.size <= DIRECT_BYTES && !AMBIGUOUS.test(upload.name) ? direct(upload, watcher) : presigned(upload, watcher);
}

async function direct({ collection, name, file, key }: FileToSend, watcher: Watcher): Promise<Receipt> {
  const form = new FormData();
  form.append("file", file, name);
  const url = address(`/collections/${collection}/files`);
  const answer = await authorized((used) =>
    posted(url, form, { Authorization: `Bearer ${used}`, "Idempotency-Key": key }, watcher),
  );
  return JSON.parse(answer) as UploadReceipt;
}

async function presigned({ collection, name, file, key }: FileToSend, watcher: Watcher): Promise<Receipt> {
  const json = { name, size_bytes: file.size };
  const headers = { "Idempotency-Key": key };
  const ticket = await request<UploadTicket>("POST", `/collections/${collection}/uploads`, { json, headers });
  if (!ticket.upload) return ticket;
  const form = new FormData();
  for (const [field, value] of Object.entries(ticket.upload.fields)) form.append(field, value);
  form.append("file", file, name);
  await posted(ticket.upload.url, form, {}, watcher);
  return { file_id: ticket.file_id, status: "processing" };
}

/** XMLHttpRequest, because fetch() does not tell how much was sent. */
function posted(url: string, form: FormData, headers: Record<string, string>, watcher: Watcher): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    watcher.started(() => call.abort());
    call.open("POST", url);
    for (const [name, value] of Object.entries(headers)) call.setRequestHeader(name, value);
    call.upload.onprogress = (event) => watcher.sent(event.loaded);
    call.onload = () => {
      if (call.status >= 200 && call.status < 300) resolve(call.responseText);
      else reject(problemOf(call.status, call.responseText, call.getResponseHeader("Retry-After")));
    };
    call.onerror = () => reject(new Problem(0, "unreachable", UNREACHABLE));
    call.onabort = () => reject(new Problem(0, "cancelled", "Cancelled."));
    call.send(form);
  });
}
