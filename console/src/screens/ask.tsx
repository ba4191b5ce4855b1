/** Questions and answers about a collection. */
import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Collection } from "../api/types";
import { Empty, IconButton, Loading, Notice } from "../parts/controls";
import { Answer } from "../parts/answer";
import { Icon } from "../parts/icons";
import { ScopeChips, ScopeDialog } from "../parts/scope";
import { SourceDrawer } from "../parts/source-drawer";
import { Threads } from "../parts/threads";
import { paths, route } from "../route";
import { counts } from "../state/collections";
import { files, loadFiles } from "../state/files";
import { source } from "../state/source";
import { ask, asking, exchanges, onlyFiles, stop, threadLoading, threadProblem } from "../state/thread";
import { suggestions } from "../state/suggestions";

const MAX_QUESTION = 8_000;
/** Pixels from the end within which new text is followed. */
const FOLLOWED = 300;

export function Ask({ collection }: { readonly collection: Collection }) {
  const end = useRef<HTMLDivElement>(null);
  const history = useSignal(false);
  const last = exchanges.value[exchanges.value.length - 1];
  const lastId = last?.id;
  const shown = route.value;
  const wanted = shown.screen === "ask" ? shown.file : null;
  useEffect(() => {
    const file = wanted ? files.value?.get(wanted) : undefined;
    if (file) onlyFiles.value = [{ id: file.id, name: file.name }];
  }, [wanted, files.value]);
  const scroll = useRef<HTMLDivElement>(null);
  useEffect(() => end.current?.scrollIntoView({ block: "end" }), [lastId]);
  useEffect(() => {
    const box = scroll.current; // who has scrolled up to read stays there
    if (box && box.scrollHeight - box.scrollTop - box.clientHeight < FOLLOWED) end.current?.scrollIntoView({ block: "end" });
  }, [last?.text.length, last?.citations.length, last?.state]);
  return (
    <div class={`ask ${source.value ? "with-source" : ""}`}>
      <main class="thread" id="main" tabIndex={-1} aria-label="Ask">
        <h1 class="sr-only">Ask {collection.name}</h1>
        <div class="thread-scroll" ref={scroll}>
          <div class="thread-column">
            <button type="button" class="history phone-only" onClick={() => (history.value = true)}><Icon name="history" size={16} /> Conversations</button>
            {threadProblem.value && (
              <Notice action="Start a new one" onAction={() => (location.hash = paths.ask(collection.id))}>{threadProblem.value}</Notice>
            )}
            {threadLoading.value && <Loading what="Loading the conversation" />}
            {!exchanges.value.length && !threadLoading.value && !threadProblem.value && <Welcome collection={collection} />}
            {exchanges.value.map((one) => <Answer key={one.id} exchange={one} collection={collection.id} />)}
            <div ref={end} class="thread-end" />
          </div>
        </div>
        <Composer collection={collection} />
      </main>
      <SourceDrawer />
      {history.value && <Threads collection={collection.id} onClose={() => (history.value = false)} />}
    </div>
  );
}

function Welcome({ collection }: { readonly collection: Collection }) {
  const { total, ready, busy } = counts(collection);
  const questions = useComputed(() => suggestions([...(files.value?.values() ?? [])]));
  if (!total)
    return (
      <Empty icon="files" title="Add documents first">
        <p>This collection is empty. Add PDFs, Word files, web pages or notes, then ask about them here.</p>
        <a class="button primary" href={paths.files(collection.id)}><Icon name="upload" size={18} /> Add files</a>
      </Empty>
    );
  return (
    <div class="welcome">
      <h2>Ask <span dir="auto">{collection.name}</span></h2>
      <p class="muted">
        {ready ? "Answers quote your documents. Choose a number in an answer to see the passage it rests on." : "The first documents are being read."}
        {busy > 0 && ` ${busy} of ${total} files are still in progress.`}
      </p>
      {!ready && <button type="button" class="quiet" onClick={() => void loadFiles()}>Look again</button>}
      {ready > 0 && questions.value.length > 0 && (
        <ul class="suggestions" aria-label="Suggested questions">
          {questions.value.map((question) => (
            <li key={question}><button type="button" onClick={() => void ask(question)}><Icon name="chat" size={16} /><span class="grow" dir="auto">{question}</span></button></li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Composer({ collection }: { readonly collection: Collection }) {
  const text = useSignal("");
  const choosing = useSignal(false);
  const box = useRef<HTMLTextAreaElement>(null);
  const wide = matchMedia("(min-width: 960px)").matches;
  useEffect(() => {
    if (wide) box.current?.focus();
  }, [collection.id]);
  useEffect(() => {
    const area = box.current;
    if (!area) return;
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, 200)}px`;
  }, [text.value]);
  const submit = (): void => {
    const question = text.value.trim();
    if (!question || asking.value) return;
    text.value = "";
    void ask(question);
  };
  return (
    <>
    <form class="composer" onSubmit={(event) => (event.preventDefault(), submit())}>
      <div class="composer-box">
        <ScopeChips />
        <div class="composer-row">
          <IconButton icon="filter" label="Choose what to ask" class="scope" onClick={() => (choosing.value = true)} />
          <textarea
            ref={box}
            id="question"
            rows={1}
            maxLength={MAX_QUESTION}
            aria-label="Question"
            aria-keyshortcuts="/"
            enterkeyhint="send"
            placeholder={`Ask ${collection.name}`}
            value={text}
            onInput={(event) => (text.value = event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
              event.preventDefault();
              submit();
            }}
          />
          {asking.value ? (
            <button type="button" class="send" aria-label="Stop" title="Stop" onClick={stop}><Icon name="square" /></button>
          ) : (
            <button type="submit" class="send" aria-label="Ask" title="Ask" disabled={!text.value.trim()}><Icon name="arrowUp" /></button>
          )}
        </div>
      </div>
    </form>
    {choosing.value && <ScopeDialog collection={collection} onClose={() => (choosing.value = false)} />}
    </>
  );
}
