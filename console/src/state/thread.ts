/** The questions and answers that are shown. They are kept as a conversation of the user on the server. */
import { computed, effect, signal } from "@preact/signals";
import { eventsOf } from "../api/events";
import { Problem, pages, reason, request, send } from "../api/http";
import type {
  Citation, Conversation, Message, NearestPassage, QueryResult, Rating, SearchOutput,
} from "../api/types";
import { collectionId, go, paths, route } from "../route";
import { caller, onSignOut } from "./session";
import { toast } from "./toasts";

export type ExchangeState = "asking" | "done" | "failed" | "stopped";

/** A question with its answer. */
export interface Exchange {
  readonly id: number;
  readonly question: string;
  readonly state: ExchangeState;
  /** What the server is doing. */
  readonly stage: string;
  readonly text: string;
  readonly citations: readonly Citation[];
  readonly passages: readonly QueryResult[];
  readonly nearest: readonly NearestPassage[];
  readonly rewritten: string;
  readonly output: SearchOutput | null;
  readonly answerId: string | null;
  readonly rating: Rating | null;
  readonly problem: string;
}

export const exchanges = signal<readonly Exchange[]>([]);
export const threadProblem = signal("");
export const threadLoading = signal(false);
/** The user's conversations about the collection that is shown; null until they were read. */
export const threads = signal<readonly Conversation[] | null>(null);
export const asking = computed(() => exchanges.value.some((one) => one.state === "asking"));
/** Files to which questions are limited: id and name. */
export const onlyFiles = signal<readonly { id: string; name: string }[]>([]);

/** Collections that are asked besides the one that is shown. */
export const alsoCollections = signal<readonly { id: string; name: string }[]>([]);

const MAX_THREADS = 50;
/** The conversation that `exchanges` holds. */
let shownThread: string | null = null;
let shownCollection: string | null = null;
let running = new AbortController();
let lastId = 0;

onSignOut(() => {
  running.abort();
  shownThread = shownCollection = null;
  exchanges.value = [];
  threads.value = null;
  onlyFiles.value = alsoCollections.value = [];
});

effect(() => {
  const shown = route.value;
  if (shown.screen !== "ask" || !caller.value) return;
  if (shown.collection !== shownCollection) {
    onlyFiles.value = alsoCollections.value = [];
    threads.value = null;
    void loadThreads(shown.collection);
  } else if (shown.thread === shownThread) return;
  running.abort();
  shownCollection = shown.collection;
  shownThread = shown.thread;
  exchanges.value = [];
  threadProblem.value = "";
  if (shown.thread) void open(shown.thread);
});

export async function loadThreads(collection: string): Promise<void> {
  try {
    const found: Conversation[] = [];
    for await (const page of pages<Conversation>("/conversations", { archived: false })) {
      found.push(...page.filter((one) => one.collection_id === collection && one.message_count !== 0));
      if (found.length >= MAX_THREADS) break;
    }
    if (shownCollection === collection) threads.value = found;
  } catch {
    threads.value = []; // asking works without them
  }
}

async function open(thread: string): Promise<void> {
  threadLoading.value = true;
  try {
    const messages: Message[] = [];
    for await (const page of pages<Message>(`/conversations/${thread}/messages`)) messages.push(...page);
    if (shownThread === thread) exchanges.value = paired(messages);
  } catch (error) {
    if (shownThread === thread)
      threadProblem.value =
        error instanceof Problem && error.status === 404 ? "This conversation does not exist, or it was deleted." : reason(error);
  } finally {
    threadLoading.value = false;
  }
}

function paired(messages: readonly Message[]): Exchange[] {
  const found: Exchange[] = [];
  for (const message of messages) {
    if (message.role === "user") found.push({ ...begun(message.content), state: "done", rewritten: message.rewritten_query ?? "" });
    const last = found[found.length - 1];
    if (message.role !== "assistant" || !last) continue;
    found[found.length - 1] = {
      ...last, text: message.content, citations: message.citations ?? [], answerId: message.id,
      rating: message.feedback?.rating ?? null,
    };
  }
  return found;
}

function begun(question: string): Exchange {
  lastId += 1;
  return {
    id: lastId, question, state: "asking", stage: "search", text: "", citations: [], passages: [], nearest: [], rewritten: "",
    output: null, answerId: null, rating: null, problem: "",
  };
}

function change(id: number, values: Partial<Exchange>): void {
  exchanges.value = exchanges.value.map((one) => (one.id === id ? { ...one, ...values } : one));
}

export async function ask(question: string): Promise<void> {
  const collection = collectionId.value;
  if (!collection || asking.value) return;
  running = new AbortController();
  const { signal } = running;
  const exchange = begun(question);
  exchanges.value = [...exchanges.value, exchange];
  await answer(exchange, collection, signal);
}

/** Ask a question again whose answer failed or was stopped. */
export async function askAgain(exchange: Exchange): Promise<void> {
  exchanges.value = exchanges.value.filter((one) => one.id !== exchange.id);
  await ask(exchange.question);
}

export function stop(): void {
  running.abort();
  exchanges.value = exchanges.value.map((one) => (one.state === "asking" ? { ...one, state: "stopped" } : one));
}

function searchInput(question: string, collection: string): Record<string, unknown> {
  const only = onlyFiles.value.map((one) => one.id);
  const config = only.length ? { config_metadata: { filters: { document_id: only } } } : {};
  const also = alsoCollections.value.map((one) => one.id);
  const where = also.length ? { collection_ids: [collection, ...also] } : { collection_id: collection };
  return { question, ...where, ...config };
}

async function answer(exchange: Exchange, collection: string, signal: AbortSignal): Promise<void> {
  const { id, question } = exchange;
  try {
    const thread = await conversation(collection);
    if (signal.aborted) return;
    const path = thread ? `/conversations/${thread}/messages/stream` : "/search/stream";
    await streamed(id, path, searchInput(question, collection), signal);
    if (thread) void loadThreads(collection);
  } catch (error) {
    if (!signal.aborted) change(id, { state: "failed", problem: reason(error) });
  }
}

async function streamed(id: number, path: string, json: Record<string, unknown>, signal: AbortSignal): Promise<void> {
  const response = await send("POST", path, { json, signal });
  for await (const { event, data } of eventsOf(response)) {
    if (signal.aborted) return;
    const now = exchanges.value.find((one) => one.id === id);
    if (!now) return;
    const told: unknown = JSON.parse(data);
    if (event === "stage") change(id, { stage: (told as { stage: string }).stage });
    else if (event === "passages") change(id, { passages: [...now.passages, ...(told as { query_results: QueryResult[] }).query_results] });
    else if (event === "citation") change(id, { citations: [...now.citations, (told as { citation: Citation }).citation] });
    else if (event === "text") change(id, { text: now.text + (told as { text: string }).text });
    else if (event === "kept") change(id, { answerId: (told as { answer_id: string }).answer_id });
    else if (event === "done") return change(id, finished((told as { output: SearchOutput }).output));
    else if (event === "error") throw new Problem(503, "unfinished", (told as { detail: string }).detail);
  }
  throw new Problem(0, "unfinished", "The connection was lost before the answer was complete.");
}

function finished(output: SearchOutput): Partial<Exchange> {
  return {
    state: "done", output, text: output.answer ?? "", citations: output.citations ?? [], passages: output.query_results ?? [],
    nearest: output.nearest ?? [], rewritten: output.rewritten_query ?? "",
  };
}

/** The conversation that keeps what is asked; none where the key may only read. */
async function conversation(collection: string): Promise<string | null> {
  if (shownThread) return shownThread;
  if (!caller.value?.scopes.includes("write")) return null;
  const made = await request<Conversation>("POST", "/conversations", { json: { collection_id: collection } });
  shownThread = made.id;
  if (collectionId.value === collection) go(paths.ask(collection, made.id), true);
  return made.id;
}

export async function rate(exchange: Exchange, rating: Rating | null): Promise<void> {
  if (!shownThread || !exchange.answerId) return;
  const before = exchange.rating;
  change(exchange.id, { rating });
  try {
    await request("PUT", `/conversations/${shownThread}/messages/${exchange.answerId}/feedback`, { json: { rating } });
    if (rating) toast("Thanks, your rating is kept.");
  } catch (error) {
    change(exchange.id, { rating: before });
    toast(reason(error), "error");
  }
}

export async function deleteThread(thread: Conversation): Promise<void> {
  try {
    await request("DELETE", `/conversations/${thread.id}`);
    threads.value = (threads.value ?? []).filter((one) => one.id !== thread.id);
    if (shownThread === thread.id && collectionId.value) go(paths.ask(collectionId.value));
    toast("Conversation deleted.");
  } catch (error) {
    toast(reason(error), "error");
  }
}
