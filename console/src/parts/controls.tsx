/** Buttons, dialogs and notices that every screen uses. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Icon, type IconName } from "./icons";

interface IconButtonProps {
  readonly icon: IconName;
  readonly label: string;
  readonly onClick?: (event: MouseEvent) => void;
  readonly pressed?: boolean;
  readonly disabled?: boolean;
  readonly class?: string;
  readonly size?: number;
}

export function IconButton({ icon, label, onClick, pressed, disabled, size = 18, ...rest }: IconButtonProps) {
  return (
    <button type="button" class={`icon-button ${rest.class ?? ""}`} aria-label={label} title={label} aria-pressed={pressed} disabled={disabled ?? false} onClick={onClick}>
      <Icon name={icon} size={size} />
    </button>
  );
}

export function Notice({ kind = "error", children, action, onAction }: {
  readonly kind?: "error" | "warning" | "note";
  readonly children: ComponentChildren;
  readonly action?: string;
  readonly onAction?: () => void;
}) {
  return (
    <div class={`notice ${kind}`} role={kind === "error" ? "alert" : "status"}>
      <Icon name={kind === "note" ? "info" : "warning"} size={18} />
      <div class="grow">{children}</div>
      {action && <button type="button" class="quiet" onClick={onAction}>{action}</button>}
    </div>
  );
}

export function Empty({ icon, title, children }: { readonly icon: IconName; readonly title: string; readonly children?: ComponentChildren }) {
  return (
    <div class="empty">
      <div class="empty-icon"><Icon name={icon} size={28} /></div>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** Where the server explains itself. */
export function Help({ class: kind = "" }: { readonly class?: string }) {
  return (
    <nav class={`help muted ${kind}`} aria-label="Help">
      <a href="docs/index.html">Documentation</a>
      <a href="api/docs">API reference</a>
    </nav>
  );
}

export function Loading({ what }: { readonly what: string }) {
  return (
    <div class="loading" role="status">
      <span class="spinner" aria-hidden="true" />
      {what}
    </div>
  );
}

/** A modal dialog; the browser keeps the focus inside and closes it on Escape. */
export function Dialog({ title, onClose, children, class: kind = "" }: {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
  readonly class?: string;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const focused = useRef(document.activeElement); // now, as a field inside may take the focus before the effect
  useEffect(() => {
    const before = focused.current;
    const shown = dialog.current;
    shown?.showModal();
    return () => {
      shown?.close(); // while it is open, nothing behind it can be focused
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={kind}
      aria-label={title}
      onCancel={(event) => (event.preventDefault(), onClose())}
      onClick={(event) => event.target === dialog.current && onClose()}
    >
      <div class="dialog-body">
        <header class="row">
          <h2 class="grow">{title}</h2>
          <IconButton icon="close" label="Close" onClick={onClose} />
        </header>
        {children}
      </div>
    </dialog>
  );
}

/** Ask before something that cannot be undone. */
export function Confirm({ title, children, action, onConfirm, onClose }: {
  readonly title: string;
  readonly children: ComponentChildren;
  readonly action: string;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}) {
  return (
    <Dialog title={title} onClose={onClose}>
      <div class="prose">{children}</div>
      <footer class="row end">
        <button type="button" class="quiet" onClick={onClose}>Cancel</button>
        <button type="button" class="danger" onClick={() => (onConfirm(), onClose())}>{action}</button>
      </footer>
    </Dialog>
  );
}

export function Bar({ value, label }: { readonly value: number; readonly label: string }) {
  const share = Math.round(Math.min(1, Math.max(0, value)) * 100);
  return (
    <div class="bar" role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={share}>
      <div class="bar-fill" style={{ width: `${share}%` }} />
    </div>
  );
}
