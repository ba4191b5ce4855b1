import { dismiss, toasts } from "../state/toasts";
import { IconButton } from "./controls";

/** Messages that pass, at the bottom of the window. */
export function Toasts() {
  return (
    <div class="toasts" role="region" aria-label="Messages" aria-live="polite">
      {toasts.value.map((one) => (
        <div class={`toast ${one.kind}`} key={one.id} role={one.kind === "error" ? "alert" : "status"}>
          <span class="grow">{one.text}</span>
          {one.undo && <button type="button" class="undo" onClick={() => (one.undo?.(), dismiss(one.id))}>Undo</button>}
          <IconButton icon="close" label="Dismiss" onClick={() => dismiss(one.id)} size={16} />
        </div>
      ))}
    </div>
  );
}
