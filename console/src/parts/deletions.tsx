/** Receipts of what was deleted in a collection: they hold no content. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { pages, reason } from "../api/http";
import type { Collection, Deletion } from "../api/types";
import { ago, count } from "../format";
import { Notice } from "./controls";

const MOST = 20;
/** How many receipts of the user's are looked through for those of the collection. */
const LOOKED_THROUGH = 300;
const STATES: Readonly<Record<Deletion["state"], string>> = { requested: "Waiting", purging: "Being removed", completed: "Removed, and proved so" };

export function Deletions({ collection }: { readonly collection: Collection }) {
  const found = useSignal<readonly Deletion[] | null>(null);
  const problem = useSignal("");
  const load = async (): Promise<void> => {
    try {
      let [own, seen]: [Deletion[], number] = [[], 0];
      for await (const page of pages<Deletion>("/deletions")) {
        own = [...own, ...page.filter((one) => one.collection_id === collection.id)];
        seen += page.length;
        if (own.length >= MOST || seen >= LOOKED_THROUGH) break;
      }
      found.value = own.slice(0, MOST);
    } catch (error) {
      problem.value = reason(error);
    }
  };
  useEffect(() => void load(), []);
  return (
    <section class="panel" aria-labelledby="deletions">
      <h2 id="deletions">Deletions</h2>
      {problem.value && <Notice>{problem.value}</Notice>}
      {found.value?.length === 0 && <p class="muted">Nothing was deleted lately.</p>}
      <ul class="rows">
        {found.value?.map((one) => (
          <li class="row wrap" key={one.id}>
            <span class="grow break"><strong>{one.name}</strong> <span class="muted small">{ago(one.requested_at)}{one.removed ? `, ${count(one.removed.objects ?? 0, "object")} removed` : ""}</span></span>
            <span class={`badge ${one.state === "completed" ? "good" : "busy"}`}>{STATES[one.state]}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
