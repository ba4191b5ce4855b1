/** The upload queue, in a corner of the window. */
import { size, stage } from "../format";
import { type Upload, type UploadState, cancelUpload, clearFinished, queueOpen, retryFailed, retryUpload, unfinished, uploads } from "../state/uploads";
import { Bar, IconButton } from "./controls";
import { Icon } from "./icons";

/** Rows that are drawn at most. */
const SHOWN = 100;
const COUNTED = ["ready", "failed"] as const;

export function Queue() {
  if (!uploads.value.length) return null;
  const all = uploads.value.filter((one) => one.state !== "cancelled");
  const [ready, failed] = COUNTED.map((state) => all.filter((one) => one.state === state).length) as [number, number];
  const open = queueOpen.value;
  const retryable = all.filter((one) => one.state === "failed" && one.retryable).length;
  return (
    <section class={`queue ${open ? "open" : ""}`} aria-label="Uploads">
      <header class="row">
        <button type="button" class="queue-title grow" aria-expanded={open} onClick={() => (queueOpen.value = !open)}>
          <Icon name="upload" size={18} />
          <span class="grow" role="status">{title(all.length, ready, failed)}</span>
          <Icon name={open ? "down" : "chevron"} size={16} />
        </button>
        {!unfinished.value.length && <IconButton icon="close" label="Close uploads" onClick={clearFinished} size={16} />}
      </header>
      {open && (
        <ul class="queue-list">
          {sorted(uploads.value).slice(0, SHOWN).map((one) => <Row key={one.id} upload={one} />)}
          {uploads.value.length > SHOWN && <li class="queue-row muted small">and {(uploads.value.length - SHOWN).toLocaleString()} more</li>}
        </ul>
      )}
      {open && (retryable > 0 || ready > 0) && (
        <footer class="row end">
          {retryable > 1 && <button type="button" class="quiet" onClick={retryFailed}>Retry {retryable.toLocaleString()} failed</button>}
          {ready > 0 && <button type="button" class="quiet" onClick={clearFinished}>Clear finished</button>}
        </footer>
      )}
    </section>
  );
}

const ORDER: Readonly<Record<UploadState, number>> = { failed: 0, sending: 1, processing: 1, waiting: 2, ready: 3, cancelled: 4 };

/** What failed comes first, as it needs attention, then what is under way. */
function sorted(all: readonly Upload[]): Upload[] {
  return [...all].sort((one, other) => ORDER[one.state] - ORDER[other.state]);
}

function title(total: number, ready: number, failed: number): string {
  const parts = [`${ready.toLocaleString()} of ${total.toLocaleString()} ready`];
  if (failed) parts.push(`${failed.toLocaleString()} failed`);
  return parts.join(", ");
}

function Row({ upload }: { readonly upload: Upload }) {
  const { state } = upload;
  return (
    <li class={`queue-row ${state}`}>
      <div class="row">
        <span class="queue-name grow" dir="auto" title={upload.name}>{upload.name}</span>
        {(state === "waiting" || state === "sending") && <IconButton icon="close" label={`Cancel ${upload.name}`} onClick={() => cancelUpload(upload.id)} size={16} />}
        {state === "failed" && upload.retryable && <IconButton icon="retry" label={`Retry ${upload.name}`} onClick={() => retryUpload(upload.id)} size={16} />}
        {state === "ready" && <span class="good"><Icon name="check" size={18} /></span>}
      </div>
      <small class={state === "failed" ? "bad" : "muted"}>{told(upload)}</small>
      {state === "sending" && <Bar value={upload.size ? upload.sent / upload.size : 1} label={`Upload of ${upload.name}`} />}
    </li>
  );
}

function told(upload: Upload): string {
  const to = `to ${upload.collectionName}`;
  switch (upload.state) {
    case "waiting":
      return `Waiting, ${size(upload.size)} ${to}`;
    case "sending":
      return upload.problem || `${size(Math.min(upload.sent, upload.size))} of ${size(upload.size)} ${to}`;
    case "processing":
      return `${stage(upload.stage ?? "queued")} ${upload.pages ? `${upload.pages} ` : ""}${to}`;
    case "ready":
      return upload.duplicateOf ? `Already there as ${upload.duplicateOf}` : `Ready in ${upload.collectionName}`;
    case "failed":
      return upload.problem;
    case "cancelled":
      return "Cancelled";
  }
}
