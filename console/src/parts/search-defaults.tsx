/** How a collection is searched where a question does not say otherwise. */
import { useSignal } from "@preact/signals";
import { reason, request } from "../api/http";
import type { Collection, SearchDefaults } from "../api/types";
import { changed, owned } from "../state/collections";
import { toast } from "../state/toasts";
import { Notice } from "./controls";

const MAX_INSTRUCTIONS = 20_000;
const ROUTES = [
  ["", "As usual: by meaning and by words"],
  ["hybrid", "By meaning and by words"],
  ["dense", "By meaning"],
  ["text", "By words"],
] as const;

export function SearchDefaultsPanel({ collection }: { readonly collection: Collection }) {
  const before = collection.search_defaults ?? {};
  const route = useSignal<string>(before.search_type ?? "");
  const passages = useSignal(text(before.top_k));
  const instructions = useSignal(before.instructions ?? "");
  const problem = useSignal("");
  const may = owned(collection);
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    problem.value = "";
    // What is not shown here stays as it is.
    const search_defaults: SearchDefaults = {
      ...before,
      search_type: (route.value || null) as SearchDefaults["search_type"],
      top_k: passages.value ? Number(passages.value) : null,
      instructions: instructions.value.trim() || null,
    };
    try {
      changed(await request<Collection>("PATCH", `/collections/${collection.id}`, { json: { search_defaults } }));
      toast("Settings saved.");
    } catch (error) {
      problem.value = reason(error);
    }
  };
  return (
    <section class="panel" aria-labelledby="search">
      <h2 id="search">Search</h2>
      {problem.value && <Notice>{problem.value}</Notice>}
      <form class="stack" onSubmit={(event) => void save(event)}>
        <label class="field">
          <span>How passages are found</span>
          <select disabled={!may} value={route.value} onChange={(event) => (route.value = event.currentTarget.value)}>
            {ROUTES.map(([value, title]) => <option key={value} value={value}>{title}</option>)}
          </select>
        </label>
        <label class="field">
          <span>Passages a question</span>
          <input type="number" min={1} max={100} disabled={!may} placeholder="10" value={passages} onInput={(event) => (passages.value = event.currentTarget.value)} />
        </label>
        <label class="field">
          <span>Instructions to the model <span class="muted">(optional)</span></span>
          <textarea rows={3} maxLength={MAX_INSTRUCTIONS} disabled={!may} placeholder="Answer in one sentence." value={instructions} onInput={(event) => (instructions.value = event.currentTarget.value)} />
          <small class="muted">Extracts, which need no model, are not changed by them.</small>
        </label>
        {may && <footer class="row end"><button type="submit" class="primary">Save search settings</button></footer>}
      </form>
    </section>
  );
}

function text(value: number | null | undefined): string {
  return value == null ? "" : String(value);
}
