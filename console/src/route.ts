/** The address of what is shown: it is in the fragment, so that any static server can serve the console. */
import { computed, signal } from "@preact/signals";

export type Route =
  | { readonly screen: "home" }
  | { readonly screen: "ask"; readonly collection: string; readonly thread: string | null; readonly file: string | null }
  | { readonly screen: "files"; readonly collection: string }
  | { readonly screen: "file"; readonly collection: string; readonly file: string; readonly page: number | null }
  | { readonly screen: "settings"; readonly collection: string };

const hash = signal(location.hash);
addEventListener("hashchange", () => (hash.value = location.hash));

export const route = computed<Route>(() => parse(hash.value));

/** The collection that is shown, if any. */
export const collectionId = computed(() => ("collection" in route.value ? route.value.collection : null));

export const paths = {
  home: () => "#/",
  ask: (collection: string, thread?: string | null) => `#/collections/${collection}/ask${thread ? `/${thread}` : ""}`,
  askFile: (collection: string, file: string) => `#/collections/${collection}/ask?file=${file}`,
  files: (collection: string) => `#/collections/${collection}/files`,
  file: (collection: string, file: string, page?: number) =>
    `#/collections/${collection}/files/${file}${page ? `?page=${page}` : ""}`,
  settings: (collection: string) => `#/collections/${collection}/settings`,
};

/** Show another address; `replace` leaves no entry in the browser's history. */
export function go(path: string, replace = false): void {
  if (path === location.hash) return;
  if (replace) {
    history.replaceState(null, "", path);
    hash.value = path;
  } else location.hash = path;
}

function parse(text: string): Route {
  const [path = "", query = ""] = text.replace(/^#\/?/, "").split("?");
  const parameters = new URLSearchParams(query);
  const [root, collection, screen, item] = path.split("/").map(decoded);
  if (root !== "collections" || !collection) return { screen: "home" };
  if (screen === "files" && item) return { screen: "file", collection, file: item, page: Number(parameters.get("page")) || null };
  if (screen === "files") return { screen: "files", collection };
  if (screen === "settings") return { screen: "settings", collection };
  return { screen: "ask", collection, thread: item || null, file: parameters.get("file") };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}
