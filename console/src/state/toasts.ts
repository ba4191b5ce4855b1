/** Short messages that pass, some of which can be undone. */
import { signal } from "@preact/signals";

export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly kind: "note" | "error";
  readonly undo?: () => void;
}

export const toasts = signal<readonly Toast[]>([]);
const SECONDS = 7;
let last = 0;

export function toast(text: string, kind: Toast["kind"] = "note", undo?: () => void): number {
  const id = ++last;
  toasts.value = [...toasts.value.slice(-3), undo ? { id, text, kind, undo } : { id, text, kind }];
  setTimeout(() => dismiss(id), SECONDS * 1000);
  return id;
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((one) => one.id !== id);
}
