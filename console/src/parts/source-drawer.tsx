/** The page behind a citation, with the passage marked. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Problem, reason } from "../api/http";
import { paths } from "../route";
import { type PageText, cut, headingOf, readPage } from "../source/page-text";
import type { Mark } from "../source/pdf-page";
import { files } from "../state/files";
import { type Source, close, source, step } from "../state/source";
import { IconButton, Loading, Notice } from "./controls";
import { Icon } from "./icons";

export function SourceDrawer() {
  const now = source.value;
  return now ? <Drawer all={now.all} at={now.at} /> : null;
}

function Drawer({ all, at }: { readonly all: readonly Source[]; readonly at: number }) {
  const panel = useRef<HTMLDialogElement>(null);
  const shown = all[at];
  useEffect(() => {
    const before = document.activeElement;
    const dialog = panel.current;
    // Beside the answers where there is room, above them on a phone.
    if (matchMedia("(min-width: 960px)").matches) dialog?.show();
    else dialog?.showModal();
    return () => {
      dialog?.close(); // while it is open on a phone, nothing behind it can be focused
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const asText = useSignal(false);
  if (!shown) return null;
  const pdf = files.value?.get(shown.file)?.media_type === "application/pdf";
  const key = `${shown.file}/${shown.page}/${shown.start}`;
  return (
    <dialog
      ref={panel}
      class="drawer"
      aria-label="Source"
      onCancel={(event) => (event.preventDefault(), close())}
      onKeyDown={(event) => {
        if (event.key === "ArrowLeft") step(-1);
        else if (event.key === "ArrowRight") step(1);
        else if (event.key === "Escape") (event.stopPropagation(), close());
      }}
    >
      <header class="drawer-head">
        <div class="row">
          <span class="small muted grow">{shown.label}{all.length > 1 ? ` (${at + 1} of ${all.length})` : ""}</span>
          {all.length > 1 && (
            <>
              <IconButton icon="back" label="Previous source" disabled={at === 0} onClick={() => step(-1)} />
              <IconButton icon="chevron" label="Next source" disabled={at === all.length - 1} onClick={() => step(1)} />
            </>
          )}
          <IconButton icon="close" label="Close source" onClick={close} />
        </div>
        <h2 dir="auto">{shown.title}</h2>
        <p class="row small">
          <span class="muted">Page {shown.page}</span>
          <a href={paths.file(shown.collection, shown.file, shown.page)}>Open the file <Icon name="chevron" size={14} /></a>
        </p>
      </header>
      {pdf && (
        <div class="views" role="group" aria-label="View">
          <button type="button" aria-pressed={!asText.value} onClick={() => (asText.value = false)}>Page</button>
          <button type="button" aria-pressed={asText.value} onClick={() => (asText.value = true)}>Text</button>
        </div>
      )}
      {pdf && !asText.value ? <PdfPage key={key} source={shown} onProblem={() => (asText.value = true)} /> : <Page key={key} source={shown} />}
    </dialog>
  );
}

/** The page as it is printed. Where it cannot be drawn, its text is shown. */
function PdfPage({ source: shown, onProblem }: { readonly source: Source; readonly onProblem: () => void }) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const found = useSignal<readonly Mark[] | null>(null);
  useEffect(() => {
    let left = false;
    const draw = async (): Promise<void> => {
      try {
        const { drawPage } = await import("../source/pdf-page");
        if (left || !canvas.current || !box.current) return;
        const drawn = await drawPage(shown, canvas.current, box.current.clientWidth);
        if (!left) found.value = drawn;
      } catch {
        if (!left) onProblem();
      }
    };
    void draw();
    return () => (left = true);
  }, []);
  useEffect(() => box.current?.querySelector(".pdf-mark")?.scrollIntoView({ block: "center" }), [found.value]);
  return (
    <div class="drawer-body" tabIndex={0} role="group" aria-label={`Page ${shown.page}`}>
      {!found.value && <Loading what="Loading the page" />}
      <div class={`pdf-page ${found.value ? "" : "drawing"}`} ref={box}>
        <canvas ref={canvas} role="img" aria-label={`Page ${shown.page} of ${shown.title}. Its text is under “Text”.`} />
        {found.value?.map((one, at) => <div key={at} class="pdf-mark" style={{ left: percent(one.left), top: percent(one.top), width: percent(one.width), height: percent(one.height) }} />)}
      </div>
      {found.value?.length === 0 && <Notice kind="note">The passage could not be marked on the page. “Text” shows it.</Notice>}
    </div>
  );
}

const percent = (fraction: number): string => `${fraction * 100}%`;

function Page({ source: shown }: { readonly source: Source }) {
  const text = useSignal<PageText | null>(null);
  const problem = useSignal("");
  const done = useSignal(false);
  const mark = useRef<HTMLElement>(null);
  useEffect(() => {
    const stopping = new AbortController();
    readPage(shown.collection, shown.file, shown.page, stopping.signal)
      .then((found) => (text.value = found))
      .catch((error: unknown) => {
        if (!stopping.signal.aborted)
          problem.value = error instanceof Problem && error.status === 404 ? "The document was deleted. What was quoted of it is below." : reason(error);
      })
      .finally(() => (done.value = true));
    return () => stopping.abort();
  }, []);
  useEffect(() => mark.current?.scrollIntoView({ block: "center" }), [done.value]);
  if (!done.value) return <div class="drawer-body"><Loading what="Loading the page" /></div>;
  if (!text.value || problem.value)
    return (
      <div class="drawer-body">
        {problem.value && <Notice kind="warning">{problem.value}</Notice>}
        <blockquote class="paper" dir="auto"><p><mark>{shown.excerpt}</mark></p></blockquote>
      </div>
    );
  let first = true;
  return (
    <div class="drawer-body" tabIndex={0} role="group" aria-label={`Text of page ${shown.page}`}>
      <div class="paper">
        {text.value.sections.map((section, at) => {
          const [before, marked, after] = cut(section, shown.start, shown.end);
          const target = Boolean(marked) && first;
          if (target) first = false;
          const heading = headingOf(text.value?.sections ?? [], at);
          return (
            <section key={at}>
              {heading && <h3>{heading}</h3>}
              <p class="page-text">{before}{marked && <mark {...(target ? { ref: mark } : {})}>{marked}</mark>}{after}</p>
            </section>
          );
        })}
      </div>
    </div>
  );
}
