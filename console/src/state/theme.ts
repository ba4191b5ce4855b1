/** Light, dark, or as the system says. */
import { effect, signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";
const NAME = "modulo.theme";

const kept = localStorage.getItem(NAME);
export const theme = signal<Theme>(kept === "light" || kept === "dark" ? kept : "system");

effect(() => {
  if (theme.value === "system") {
    delete document.documentElement.dataset["theme"];
    localStorage.removeItem(NAME);
  } else {
    document.documentElement.dataset["theme"] = theme.value;
    localStorage.setItem(NAME, theme.value);
  }
});

export function nextTheme(): void {
  const order: readonly Theme[] = ["system", "light", "dark"];
  theme.value = order[(order.indexOf(theme.value) + 1) % order.length] ?? "system";
}
