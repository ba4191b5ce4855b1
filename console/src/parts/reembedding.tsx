/** Building a collection's index anew, with other passages or another model, while searches use the one that is there. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Problem, reason, request } from "../api/http";
import type { Collection, Reembedding } from "../api/types";
import { moment } from "../format";
import { Bar, Notice } from "./controls";

const POLL_MILLISECONDS = 3_000;
const PHASES: Readonly<Record<Reembedding["state"], string>> = {
  building: "The new index is being built. Searches use the old one meanwhile.",
  ready: "The new index is built. Switch to it when you like.",
  failed: "Some files could not be embedded anew.",
  switched: "Searches use the new index.",
  rolled_back: "Searches use the old index again.",
  cancelled: "The last re-embedding was cancelled.",
};

export function ReembeddingPanel({ collection }: { readonly collection: Collection }) {
  const now = useSignal<Reembedding | null>(null);
  const problem = useSignal("");
  const tokens = useSignal(String(collection.chunking.max_tokens));
  const model = useSignal(collection.embedding_model);
  const path = `/collections/${collection.id}/reembedding`;
  const load = async (): Promise<void> => {
    try {
      now.value = await request<Reembedding>("GET", path);
    } catch (error) {
      if (!(error instanceof Problem && error.status === 404)) problem.value = reason(error);
    }
  };
  useEffect(() => {
    void load();
    const timer = setInterval(() => now.value?.state === "building" && void load(), POLL_MILLISECONDS);
    return () => clearInterval(timer);
  }, []);
  const attempt = async (method: string, end: string, json?: unknown): Promise<void> => {
    problem.value = "";
    try {
      now.value = await request<Reembedding>(method, `${path}${end}`, json === undefined ? {} : { json });
    } catch (error) {
      problem.value = reason(error);
    }
  };
  const start = (event: Event): void => {
    event.preventDefault();
    const most = Number(tokens.value);
    const chunking = { max_tokens: most, overlap_tokens: Math.min(Math.round(most / 5), 500) };
    void attempt("POST", "", { embedding_model: model.value.trim(), chunking, auto_switch: true });
  };
  const state = now.value?.state;
  const running = state === "building" || state === "ready" || state === "failed";
  return (
    <section class="panel" aria-labelledby="index">
      <h2 id="index">Re-embedding</h2>
      {problem.value && <Notice>{problem.value}</Notice>}
      {now.value && state && <p class="muted">{PHASES[state]}</p>}
      {now.value && running && (
        <div class="stack">
          <Bar value={share(now.value)} label={`${now.value.files_done ?? 0} of ${now.value.files_total ?? 0} files embedded anew`} />
          <p class="muted small">{now.value.files_done ?? 0} of {now.value.files_total ?? 0} files{now.value.estimated_ready_at ? `, ready about ${moment(now.value.estimated_ready_at)}` : ""}</p>
          {(now.value.failures ?? []).map((one) => <Notice kind="warning" key={one.file_id}>{one.name}: {one.problem.detail}</Notice>)}
          <div class="row end">
            <button type="button" class="quiet" onClick={() => void attempt("DELETE", "")}>Cancel re-embedding</button>
            {state === "ready" && <button type="button" class="primary" onClick={() => void attempt("POST", "/switch", {})}>Switch to the new index</button>}
            {state === "failed" && <button type="button" class="primary" onClick={() => void attempt("POST", "/switch", { leave_out: true })}>Switch without them</button>}
          </div>
        </div>
      )}
      {now.value?.state === "switched" && now.value.rollback_until && (
        <p><button type="button" class="quiet" onClick={() => void attempt("POST", "/rollback", {})}>Go back to the old index</button> <span class="muted small">possible until {moment(now.value.rollback_until)}</span></p>
      )}
      {!running && (
        <form class="row wrap" onSubmit={start}>
          <label class="field grow"><span>Embedding model</span><input required value={model} onInput={(event) => (model.value = event.currentTarget.value)} /></label>
          <label class="field"><span>Tokens a passage</span><input type="number" min={32} max={2000} required value={tokens} onInput={(event) => (tokens.value = event.currentTarget.value)} /></label>
          <button type="submit" class="quiet align-end">Start re-embedding</button>
        </form>
      )}
    </section>
  );
}

function share(now: Reembedding): number {
  if (now.pages_total) return (now.pages_done ?? 0) / now.pages_total;
  return now.files_total ? (now.files_done ?? 0) / now.files_total : 0;
}
