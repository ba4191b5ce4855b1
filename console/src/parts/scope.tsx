/** What a question is asked of: one collection or several, all of their files or some. */
import { useSignal } from "@preact/signals";
import type { Collection } from "../api/types";
import { collections } from "../state/collections";
import { files } from "../state/files";
import { alsoCollections, onlyFiles } from "../state/thread";
import { Dialog, IconButton } from "./controls";
import { Icon } from "./icons";

const MAX_COLLECTIONS = 10;
const MAX_FILES = 100;
const SHOWN = 50;

interface Named {
  readonly id: string;
  readonly name: string;
}

/** The chosen scope, each part of which can be taken away. */
export function ScopeChips() {
  const chips = [
    ...alsoCollections.value.map((one) => ({ ...one, icon: "files" as const, label: `Do not ask ${one.name}`, signal: alsoCollections })),
    ...onlyFiles.value.map((one) => ({ ...one, icon: "file" as const, label: `Ask all files, not only ${one.name}`, signal: onlyFiles })),
  ];
  if (!chips.length) return null;
  return (
    <ul class="chips" aria-label="What is asked">
      {chips.map(({ id, name, icon, label, signal }) => (
        <li class="chip" key={id}>
          <Icon name={icon} size={14} /><span>{icon === "files" ? `and ${name}` : name}</span>
          <IconButton icon="close" size={14} label={label} onClick={() => (signal.value = signal.value.filter((one) => one.id !== id))} />
        </li>
      ))}
    </ul>
  );
}

export function ScopeDialog({ collection, onClose }: { readonly collection: Collection; readonly onClose: () => void }) {
  const text = useSignal("");
  const others = (collections.value ?? []).filter((one) => one.id !== collection.id);
  const words = text.value.toLocaleLowerCase();
  const ready = [...(files.value?.values() ?? [])].filter((one) => one.live_generation !== undefined);
  const matching = ready.filter((one) => one.name.toLocaleLowerCase().includes(words));
  return (
    <Dialog title="What to ask" onClose={onClose}>
      {others.length > 0 && (
        <fieldset>
          <legend>Collections besides {collection.name}</legend>
          <Choices from={others} chosen={alsoCollections.value} most={MAX_COLLECTIONS - 1} onChange={(next) => (alsoCollections.value = next)} />
        </fieldset>
      )}
      <fieldset>
        <legend>Only these files</legend>
        <input type="search" aria-label="Find a file" placeholder="Find a file" value={text} onInput={(event) => (text.value = event.currentTarget.value)} />
        <Choices from={matching.slice(0, SHOWN)} chosen={onlyFiles.value} most={MAX_FILES} onChange={(next) => (onlyFiles.value = next)} />
        {!matching.length && <p class="muted">No file matches.</p>}
        {matching.length > SHOWN && <p class="muted small">{matching.length - SHOWN} more: type a part of the name.</p>}
      </fieldset>
      <footer class="row end">
        <button type="button" class="quiet" onClick={() => ((alsoCollections.value = []), (onlyFiles.value = []))}>Ask the whole collection</button>
        <button type="button" class="primary" onClick={onClose}>Done</button>
      </footer>
    </Dialog>
  );
}

function Choices({ from, chosen, most, onChange }: { readonly from: readonly Named[]; readonly chosen: readonly Named[]; readonly most: number; readonly onChange: (next: readonly Named[]) => void }) {
  const ids = new Set(chosen.map((one) => one.id));
  return (
    <ul class="choices">
      {from.map(({ id, name }) => (
        <li key={id}>
          <label class="check">
            <input
              type="checkbox"
              checked={ids.has(id)}
              disabled={!ids.has(id) && chosen.length >= most}
              onChange={(event) => onChange(event.currentTarget.checked ? [...chosen, { id, name }] : chosen.filter((one) => one.id !== id))}
            />
            <span class="break" dir="auto">{name}</span>
          </label>
        </li>
      ))}
    </ul>
  );
}
