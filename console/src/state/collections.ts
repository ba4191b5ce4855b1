/** The collections of the user who is signed in. */
import { computed, signal } from "@preact/signals";
import { pages, reason, request } from "../api/http";
import type { Collection, NewCollection } from "../api/types";
import { identifier } from "../random";
import { collectionId } from "../route";
import { caller, onSignOut } from "./session";

export const collections = signal<readonly Collection[] | null>(null);
export const collectionsProblem = signal("");

export const current = computed(() => collections.value?.find((one) => one.id === collectionId.value) ?? null);

onSignOut(() => {
  collections.value = null;
  collectionsProblem.value = "";
});

export async function loadCollections(): Promise<void> {
  try {
    const found: Collection[] = [];
    for await (const page of pages<Collection>("/collections")) found.push(...page);
    collections.value = found;
    collectionsProblem.value = "";
  } catch (error) {
    collectionsProblem.value = reason(error);
  }
}

export async function createCollection(name: string, description: string): Promise<Collection> {
  const json: Partial<NewCollection> = description ? { name, description } : { name };
  const made = await request<Collection>("POST", "/collections", { json, headers: { "Idempotency-Key": identifier() } });
  changed(made);
  return made;
}

/** Show a collection as the server now has it. */
export function changed(collection: Collection): void {
  const others = (collections.value ?? []).filter((one) => one.id !== collection.id);
  collections.value = [collection, ...others];
}

export function gone(id: string): void {
  collections.value = (collections.value ?? []).filter((one) => one.id !== id);
}

export async function reload(id: string): Promise<void> {
  try {
    const fresh = await request<Collection>("GET", `/collections/${id}`);
    collections.value = (collections.value ?? []).map((one) => (one.id === id ? fresh : one));
  } catch {
    // The next visit of the list tells.
  }
}

const mayWrite = (): boolean => caller.value?.scopes.includes("write") ?? false;
/** Whether the user and the key may change the collection's files. */
export const editable = (collection: Collection): boolean => mayWrite() && collection.role !== "viewer";
export const owned = (collection: Collection): boolean => mayWrite() && collection.role === "owner";

/** How many of its files are ready, failed and under way. */
export function counts(collection: Collection): { total: number; ready: number; failed: number; busy: number } {
  const gone = new Set(["deleting", "deleted"]);
  const shown = Object.entries(collection.files).filter(([stage]) => !gone.has(stage));
  const total = shown.reduce((sum, [, count]) => sum + count, 0);
  const ready = collection.files["ready"] ?? 0;
  const failed = collection.files["failed"] ?? 0;
  return { total, ready, failed, busy: total - ready - failed };
}
