/** A question with its answer: text, sources, rating, and why it was answered so. */
import { useSignal } from "@preact/signals";
import type { Citation, NearestPassage, QueryResult, SearchOutput } from "../api/types";
import { count, seconds } from "../format";
import { type Source, show } from "../state/source";
import { type Exchange, askAgain, rate } from "../state/thread";
import { toast } from "../state/toasts";
import { IconButton, Notice } from "./controls";
import { Icon } from "./icons";
import { RichText } from "./rich-text";

const STAGES: Readonly<Record<string, string>> = {
  search: "Looking for passages",
  rerank: "Reading the best passages",
  generation: "Writing the answer",
};

export function Answer({ exchange, collection }: { readonly exchange: Exchange; readonly collection: string }) {
  const { state, output, citations, text } = exchange;
  const sources = citations.map((one) => sourceOf(one, collection));
  const cite = (citation: Citation): void => show(sources, citations.indexOf(citation));
  const found = output?.metadata.found ?? citations.length > 0;
  return (
    <article class="exchange" aria-label={`Answer to: ${exchange.question}`}>
      <h2 class="question" dir="auto">{exchange.question}</h2>
      {exchange.rewritten && exchange.rewritten !== exchange.question && (
        <p class="rewritten muted"><Icon name="search" size={14} /> Searched for: {exchange.rewritten}</p>
      )}
      <div class="answer" aria-live="polite" aria-busy={state === "asking"} dir="auto">
        {text && <RichText text={text} citations={citations} onCite={cite} />}
        {state === "asking" && <p class="stage muted"><span class="spinner" aria-hidden="true" />{STAGES[exchange.stage] ?? "Working"}…</p>}
      </div>
      {state === "stopped" && <Notice kind="note" action="Ask again" onAction={() => void askAgain(exchange)}>You stopped this answer.</Notice>}
      {state === "failed" && <Notice action="Try again" onAction={() => void askAgain(exchange)}>{exchange.problem}</Notice>}
      {output && <Warnings output={output} />}
      {state === "done" && !found && <Nearest passages={exchange.nearest} collection={collection} />}
      {citations.length > 0 && <Sources citations={citations} onCite={cite} />}
      {state === "done" && (
        <div class="answer-actions row">
          <IconButton icon="copy" label="Copy answer" onClick={() => void copy(exchange)} />
          {exchange.answerId && (
            <>
              <IconButton icon="thumbUp" label="Good answer" pressed={exchange.rating === "up"} onClick={() => void rate(exchange, exchange.rating === "up" ? null : "up")} />
              <IconButton icon="thumbDown" label="Bad answer" pressed={exchange.rating === "down"} onClick={() => void rate(exchange, exchange.rating === "down" ? null : "down")} />
            </>
          )}
          {output && <span class="muted small">{summary(output)}</span>}
        </div>
      )}
      {state === "done" && output && <Why output={output} passages={exchange.passages} collection={collection} />}
    </article>
  );
}

function sourceOf(citation: Citation, collection: string): Source {
  return {
    collection: citation.collection_id ?? collection, file: citation.document_id, title: citation.title, page: citation.page_number,
    start: citation.start_index ?? 0, end: citation.end_index ?? 0, excerpt: citation.excerpt,
    boxes: citation.boxes ?? [], label: `Source ${citation.mark}`,
  };
}

function Sources({ citations, onCite }: { readonly citations: readonly Citation[]; readonly onCite: (citation: Citation) => void }) {
  return (
    <ul class="sources" aria-label="Sources">
      {citations.map((one) => (
        <li key={one.mark}>
          <button type="button" onClick={() => onCite(one)}>
            <span class="cite" aria-hidden="true">{one.mark}</span>
            <span class="source-name" dir="auto">{one.title}</span>
            <span class="muted">page {one.page_number}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function Nearest({ passages, collection }: { readonly passages: readonly NearestPassage[]; readonly collection: string }) {
  const sources = passages.map((one, at): Source => ({
    collection: one.collection_id ?? collection, file: one.document_id, title: one.title, page: one.page_number, start: one.start_index,
    end: one.end_index, excerpt: one.excerpt, boxes: one.boxes ?? [], label: `Nearest passage ${at + 1}`,
  }));
  if (!passages.length) return <p class="muted">No passage comes near. Ask in other words, or add documents about it.</p>;
  return (
    <section class="nearest" aria-label="Nearest passages">
      <h3>Nearest passages</h3>
      <p class="muted">None of them answers the question. They may help to ask it in other words.</p>
      <ul>
        {passages.map((one, at) => (
          <li key={one.chunk_id}>
            <button type="button" class="passage" onClick={() => show(sources, at)}>
              <span class="passage-text clamp" dir="auto">{one.excerpt}</span>
              <span class="muted small">{one.title}, page {one.page_number}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What it means that a part of a search did not answer; the command tells the same. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  embedder: "The embedding model did not answer: passages were found by their words alone.",
  reranker: "The reranker did not answer: passages stand in the order in which they were found.",
  neighbors: "The text beside the passages could not be read: they stand alone.",
  generator: "The first language model did not answer: another one wrote this.",
};

function Warnings({ output }: { readonly output: SearchOutput }) {
  const { degraded, complete, outcome } = output.metadata;
  const told = (degraded ?? []).map((part) => LEFT_OUT[part] ?? `A part of the search did not answer and was left out (${part}). What was found may be worse than usual.`);
  if (complete === false) told.push("Only the nearest passages were checked against the filter. There may be others.");
  if (outcome === "cut_short" || output.metadata.cut_short) told.push("The answer ends early: it reached its limit.");
  if (outcome === "unverified") told.push("A model answered, but its citations did not hold, so its answer is not shown.");
  if (output.token_warning) told.push(output.token_warning);
  return <>{told.map((one) => <Notice kind="warning" key={one}>{one}</Notice>)}</>;
}

function summary(output: SearchOutput): string {
  const { answer_kind: kind, cached, found } = output.metadata;
  return [kind === "extracts" && found ? "Quoted from your documents" : "", seconds(output.execution_time), cached ? "cached" : ""].filter(Boolean).join(" · ");
}

/** Passages, scores, stages and model. */
function Why({ output, passages, collection }: { readonly output: SearchOutput; readonly passages: readonly QueryResult[]; readonly collection: string }) {
  const open = useSignal(false);
  const { metadata } = output;
  const names = new Map((output.documents ?? []).map((one) => [one.document_id, one.title ?? one.document_name]));
  // What they are ordered by: without a reranker scores of the fusion, around 0.
  const scores = passages.map((one) => (metadata.reranked ? one.score : one.chunk.fused_score));
  const least = metadata.reranked ? 0 : Math.min(...scores);
  const range = Math.max(Math.max(...scores) - least, Number.EPSILON);
  const sources = passages.map(({ chunk }, at): Source => ({
    collection: chunk.collection_id ?? collection, file: chunk.document_id, title: names.get(chunk.document_id) ?? chunk.metadata.source,
    page: chunk.metadata.page_number, start: chunk.metadata.start_index, end: chunk.metadata.end_index, excerpt: chunk.text, boxes: [], label: `Passage ${at + 1}`,
  }));
  return (
    <details class="why" onToggle={(event) => (open.value = event.currentTarget.open)}>
      <summary><Icon name="chevron" size={16} /> Why this answer</summary>
      {open.value && (
        <div class="why-body">
          <dl class="facts-list">
            <div><dt>Written by</dt><dd>{metadata.answer_kind === "extracts" ? "extracts, without a language model" : (metadata.generator ?? "unknown")}</dd></div>
            <div><dt>Passages found by</dt><dd>{metadata.embedding_model ?? "several models"}{metadata.reranked ? ", reranked" : ""}</dd></div>
            {(metadata.tokens_used ?? 0) > 0 && <div><dt>Tokens</dt><dd>{metadata.tokens_used?.toLocaleString()}</dd></div>}
            <div><dt>Time</dt><dd>{seconds(output.execution_time)}{metadata.cached ? ", from the cache" : ""}</dd></div>
            {Object.entries(metadata.stage_seconds ?? {}).map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{seconds(value)}</dd></div>)}
            {(metadata.parts?.length ?? 0) > 0 && <div><dt>Parts</dt><dd>{metadata.parts?.join(" / ")}</dd></div>}
          </dl>
          <h3>{count(passages.length, "passage")}, best first{metadata.reranked ? "" : ", by fused score"}</h3>
          <ol class="passages">
            {passages.map((one, at) => (
              <li key={one.chunk.chunk_id}>
                <button type="button" class="passage" onClick={() => show(sources, at)}>
                  <span class="row small">
                    <span class="grow">{sources[at]?.title}, page {one.chunk.metadata.page_number}</span>
                    <span class="score"><span class="score-bar" aria-hidden="true"><span style={{ width: `${Math.max(2, (((scores[at] ?? least) - least) / range) * 100)}%` }} /></span>{scores[at]?.toFixed(3)}</span>
                  </span>
                  <span class="passage-text clamp muted" dir="auto">{one.chunk.text}</span>
                  {(one.flags?.length ?? 0) > 0 && <span class="small bad">Suspicious: {one.flags?.join(", ").replace("_", " ")}</span>}
                </button>
              </li>
            ))}
          </ol>
        </div>
      )}
    </details>
  );
}

async function copy(exchange: Exchange): Promise<void> {
  const sources = exchange.citations.map((one) => `[${one.mark}] ${one.title}, page ${one.page_number}: ${one.excerpt}`);
  const text = [exchange.text, ...(sources.length ? ["", ...sources] : [])].join("\n");
  try {
    await navigator.clipboard.writeText(text);
    toast("Answer copied with its sources.");
  } catch {
    toast("This browser does not let the page copy. Select the text and copy it yourself.", "error");
  }
}
