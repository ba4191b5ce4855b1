/** Messages whose every delivery failed, and what can be done about them. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { pages, reason, request } from "../api/http";
import type { Collection, DeadLetter } from "../api/types";
import { ago, count } from "../format";
import { toast } from "../state/toasts";
import { Notice } from "./controls";

const MOST = 200;

export function DeadLetters({ collection }: { readonly collection: Collection }) {
  const letters = useSignal<readonly DeadLetter[] | null>(null);
  const problem = useSignal("");
  const path = `/collections/${collection.id}/dead-letters`;
  const load = async (): Promise<void> => {
    try {
      const found: DeadLetter[] = [];
      for await (const page of pages<DeadLetter>(path, { state: "waiting" })) {
        found.push(...page);
        if (found.length >= MOST) break;
      }
      letters.value = found;
    } catch (error) {
      problem.value = reason(error);
    }
  };
  useEffect(() => void load(), []);
  const attempt = async (work: () => Promise<unknown>, told: string): Promise<void> => {
    problem.value = "";
    try {
      await work();
      toast(told);
    } catch (error) {
      problem.value = reason(error);
    }
    await load();
  };
  return (
    <section class="panel" aria-labelledby="letters">
      <div class="row">
        <h2 id="letters" class="grow">Dead letters</h2>
        {(letters.value?.length ?? 0) > 0 && <button type="button" class="quiet" onClick={() => void attempt(() => request("POST", `${path}/retry`), "They are tried again.")}>Retry all</button>}
      </div>
      <p class="muted">{letters.value?.length ? `${count(letters.value.length, "message")} failed every time.` : "None: every file was worked on to its end."}</p>
      {problem.value && <Notice>{problem.value}</Notice>}
      <ul class="rows">
        {letters.value?.map((one) => (
          <li class="row wrap" key={one.id}>
            <span class="grow break"><strong>{one.name ?? one.function ?? one.message_id}</strong> <span class="muted small">{one.problem.detail} {ago(one.buried_at)}, {count(one.attempts, "attempt")}</span></span>
            <button type="button" class="quiet" aria-label={`Retry ${one.name ?? one.id}`} onClick={() => void attempt(() => request("POST", `${path}/${one.id}/retry`), "It is tried again.")}>Retry</button>
            <button type="button" class="quiet" aria-label={`Discard ${one.name ?? one.id}`} onClick={() => void attempt(() => request("DELETE", `${path}/${one.id}`), "Discarded.")}>Discard</button>
          </li>
        ))}
      </ul>
    </section>
  );
}
