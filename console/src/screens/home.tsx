/** The user's collections. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { reason } from "../api/http";
import type { Collection } from "../api/types";
import { ago, count, size } from "../format";
import { Dialog, Empty, Help, Loading, Notice } from "../parts/controls";
import { Icon } from "../parts/icons";
import { go, paths } from "../route";
import { collections, collectionsProblem, counts, createCollection, loadCollections } from "../state/collections";

export function Home() {
  const making = useSignal(false);
  useEffect(() => void loadCollections(), []);
  const all = collections.value;
  const shown = [...(all ?? [])].sort((one, other) => other.updated_at.localeCompare(one.updated_at));
  const create = (): void => void (making.value = true);
  return (
    <main class="page" id="main" tabIndex={-1}>
      <header class="page-head">
        <div class="grow">
          <h1>Collections</h1>
          {all && all.length > 0 && <p class="muted">{count(all.length, "collection")}. Choose one to ask its documents.</p>}
        </div>
        {all && all.length > 0 && (
          <button type="button" class="primary" onClick={create}><Icon name="plus" size={18} /> New collection</button>
        )}
      </header>
      {collectionsProblem.value && <Notice action="Try again" onAction={() => void loadCollections()}>{collectionsProblem.value}</Notice>}
      {!all && !collectionsProblem.value && <Loading what="Loading your collections" />}
      {all?.length === 0 && (
        <Empty icon="files" title="Create your first collection">
          <p>A collection holds documents that are asked together, such as the manuals of a product or the papers of a project.</p>
          <button type="button" class="primary" onClick={create}><Icon name="plus" size={18} /> Create a collection</button>
        </Empty>
      )}
      <ul class="cards">
        {shown.map((one) => <li key={one.id}><Card collection={one} /></li>)}
      </ul>
      <Help class="phone-only" />
      {making.value && <Create onClose={() => (making.value = false)} />}
    </main>
  );
}

function Card({ collection }: { readonly collection: Collection }) {
  const { total, failed, busy } = counts(collection);
  return (
    <a class="card collection" href={total ? paths.ask(collection.id) : paths.files(collection.id)}>
      <h2 dir="auto">{collection.name}</h2>
      {collection.description && <p class="muted clamp" dir="auto">{collection.description}</p>}
      <p class="facts">
        <span>{total ? count(total, "file") : "No files yet"}</span>
        {total > 0 && <span>{size(collection.storage_bytes)}</span>}
        {collection.role !== "owner" && <span>shared with you as {collection.role}</span>}
      </p>
      <p class="states">
        {busy > 0 && <span class="badge busy"><span class="spinner" aria-hidden="true" />{count(busy, "file")} in progress</span>}
        {failed > 0 && <span class="badge bad"><Icon name="warning" size={14} />{failed} failed</span>}
        {total > 0 && !busy && !failed && <span class="badge good"><Icon name="check" size={14} />All ready</span>}
        <span class="muted grow end">changed {ago(collection.updated_at)}</span>
      </p>
    </a>
  );
}

export function Create({ onClose }: { readonly onClose: () => void }) {
  const name = useSignal("");
  const description = useSignal("");
  const busy = useSignal(false);
  const problem = useSignal("");
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!name.value.trim() || busy.value) return;
    busy.value = true;
    problem.value = "";
    try {
      const made = await createCollection(name.value.trim(), description.value.trim());
      onClose();
      go(paths.files(made.id));
    } catch (error) {
      problem.value = reason(error);
      busy.value = false;
    }
  };
  return (
    <Dialog title="New collection" onClose={onClose}>
      <form class="stack" onSubmit={(event) => void submit(event)}>
        {problem.value && <Notice>{problem.value}</Notice>}
        <label class="field">
          <span>Name</span>
          <input required maxLength={200} autofocus placeholder="Product manuals" value={name} onInput={(event) => (name.value = event.currentTarget.value)} />
        </label>
        <label class="field">
          <span>Description <span class="muted">(optional)</span></span>
          <input maxLength={512} placeholder="What the documents are about" value={description} onInput={(event) => (description.value = event.currentTarget.value)} />
        </label>
        <footer class="row end">
          <button type="button" class="quiet" onClick={onClose}>Cancel</button>
          <button type="submit" class="primary" disabled={busy.value}>{busy.value ? "Creating…" : "Create collection"}</button>
        </footer>
      </form>
    </Dialog>
  );
}
