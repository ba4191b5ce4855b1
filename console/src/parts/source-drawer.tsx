/** The page behind a citation, with the passage marked. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Problem, reason } from "../api/http";
import { paths } from "../route";
import { type PageText, cut, readPage } from "../source/page-text";
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
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  if (!shown) return null;
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
      <Page key={`${shown.file}/${shown.page}/${shown.start}`} source={shown} />
    </dialog>
  );
}

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
        <blockquote class="paper" dir="auto"><mark>{shown.excerpt}</mark></blockquote>
      </div>
    );
  let first = true;
  return (
    <div class="drawer-body" tabIndex={0} role="group" aria-label={`Text of page ${shown.page}`}>
      <div class="paper" dir="auto">
        {text.value.sections.map((section, at) => {
          const [before, marked, after] = cut(section, shown.start, shown.end);
          const target = Boolean(marked) && first;
          if (target) first = false;
          const heading = section.heading.split(" > ").pop() ?? "";
          return (
            <section key={at}>
              {heading && !section.text.startsWith(heading) && <h3>{heading}</h3>}
              <p class="page-text">{before}{marked && <mark {...(target ? { ref: mark } : {})}>{marked}</mark>}{after}</p>
            </section>
          );
        })}
      </div>
    </div>
  );
}
