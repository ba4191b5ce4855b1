/** The conversations about a collection. */
import { useSignal } from "@preact/signals";
import type { Conversation } from "../api/types";
import { ago } from "../format";
import { paths, route } from "../route";
import { deleteThread, threads } from "../state/thread";
import { Confirm, Dialog, IconButton } from "./controls";
import { Icon } from "./icons";

export function ThreadList({ collection, onChoose }: { readonly collection: string; readonly onChoose?: () => void }) {
  const deleting = useSignal<Conversation | null>(null);
  const shown = route.value;
  const current = shown.screen === "ask" ? shown.thread : null;
  return (
    <nav class="threads" aria-label="Conversations">
      <a class="nav-item" href={paths.ask(collection)} onClick={onChoose}><Icon name="plus" size={18} /> New conversation</a>
      <ul>
        {(threads.value ?? []).map((one) => (
          <li class="thread-item" key={one.id}>
            <a class="nav-item" href={paths.ask(collection, one.id)} aria-current={one.id === current ? "page" : undefined} onClick={onChoose} title={`${one.title}, ${ago(one.updated_at)}`}>
              <span class="grow ellipsis" dir="auto">{one.title || "Untitled"}</span>
            </a>
            <IconButton icon="trash" size={15} label={`Delete conversation: ${one.title}`} onClick={() => (deleting.value = one)} />
          </li>
        ))}
      </ul>
      {deleting.value && (
        <Confirm title="Delete this conversation?" action="Delete conversation" onClose={() => (deleting.value = null)} onConfirm={() => deleting.value && void deleteThread(deleting.value)}>
          <p>“{deleting.value.title}” and its answers are deleted for good. The documents stay.</p>
        </Confirm>
      )}
    </nav>
  );
}

export function Threads({ collection, onClose }: { readonly collection: string; readonly onClose: () => void }) {
  return (
    <Dialog title="Conversations" onClose={onClose}>
      <ThreadList collection={collection} onChoose={onClose} />
    </Dialog>
  );
}
