/** Requests to the API, and the problems it answers with. */
import { computed, signal } from "@preact/signals";

/** The credential that requests carry; empty while nobody is signed in. */
export const credential = signal("");
/** Stays the same while tokens are renewed. */
export const signedIn = computed(() => credential.value !== "");

/** Called with the reason when the server refuses the credential. */
let refused: (reason: string) => void = () => undefined;
/** Called with a credential that the server refuses; gives the one that has replaced it, or none. */
let renew: (used: string) => Promise<string> = async () => "";

export function onRefused(callback: typeof refused): void {
  refused = callback;
}

export function onExpired(callback: typeof renew): void {
  renew = callback;
}

/** Why a request failed: what the server said, or that it did not answer (status 0). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly retryAfterSeconds: number | null = null,
    readonly requestId = "",
  ) {
    super(message);
  }

  /** Whether the same request may succeed later. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

interface Options {
  readonly json?: unknown;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly keepalive?: boolean;
  /** Sent without the credential, about which the answer says nothing. */
  readonly anonymous?: boolean;
}

export const UNREACHABLE = "The server does not answer. Check that it runs and that you are online, then try again.";

export function address(path: string, query: Options["query"] = {}): string {
  const url = new URL(`api${path}`, document.baseURI);
  url.hash = "";
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value));
  return url.href;
}

/** The answer to a request, whose status is a success. */
export function send(method: string, path: string, options: Options = {}): Promise<Response> {
  return options.anonymous ? sendAs("", method, path, options) : authorized((used) => sendAs(used, method, path, options));
}

async function sendAs(used: string, method: string, path: string, options: Options): Promise<Response> {
  const headers = new Headers(options.headers);
  if (used) headers.set("Authorization", `Bearer ${used}`);
  const init: RequestInit = { method, headers, keepalive: options.keepalive ?? false };
  if (options.json !== undefined) {
    headers.set("Content-Type", "application/json");
    init.body = JSON.stringify(options.json);
  }
  if (options.signal) init.signal = options.signal;
  let response: Response;
  try {
    response = await fetch(address(path, options.query), init);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem(0, "unreachable", UNREACHABLE);
  }
  if (response.ok) return response;
  throw problemOf(response.status, await response.text().catch(() => ""), response.headers.get("Retry-After"));
}

/** Do something with the credential; once more where it has expired and can be renewed, else sign out. */
export async function authorized<Answer>(
  work: (used: string) => Promise<Answer>,
  used = credential.peek(),
  renewable = true,
): Promise<Answer> {
  try {
    return await work(used);
  } catch (error) {
    if (!used || !(error instanceof Problem) || error.status !== 401) throw error;
    const other = renewable ? await renew(used) : "";
    if (other) return authorized(work, other, false);
    if (used === credential.peek()) refused(error.message);
    throw error;
  }
}

export async function request<Answer>(method: string, path: string, options: Options = {}): Promise<Answer> {
  const response = await send(method, path, options);
  return (response.status === 204 ? undefined : await response.json()) as Answer;
}

/** The problem that a failed response holds. */
export function problemOf(status: number, body: string, retryAfter: string | null = null): Problem {
  const wait = retryAfter && Number.isFinite(Number(retryAfter)) ? Number(retryAfter) : null;
  try {
    const told = JSON.parse(body) as { type?: string; title?: string; detail?: string; request_id?: string };
    const code = told.type?.split(":").pop() ?? "unknown";
    return new Problem(status, code, told.detail ?? told.title ?? `The server answered ${status}.`, wait, told.request_id);
  } catch {
    return new Problem(status, "unknown", `The server answered ${status}.`, wait);
  }
}

/** What to tell about any failure. */
export function reason(error: unknown): string {
  return error instanceof Problem ? error.message : "The console failed unexpectedly. Reload the page.";
}

/** How many single items cost a server as much as a page of them. */
const ITEMS_A_PAGE_COSTS = 4;

/**
 * Those of a list that have these ids, and how many pages were read for it. The newest come first; where pages would
 * cost more than asking for each, the rest is left out.
 */
export async function itemsWith<Item extends { readonly id: string }>(
  path: string,
  ids: ReadonlySet<string>,
  signal?: AbortSignal,
): Promise<{ items: readonly Item[]; read: number }> {
  const items: Item[] = [];
  const most = Math.floor(ids.size / ITEMS_A_PAGE_COSTS);
  let read = 0;
  if (most) {
    for await (const page of pages<Item>(path, {}, signal)) {
      read += 1;
      items.push(...page.filter((one) => ids.has(one.id)));
      if (items.length >= ids.size || read >= most) break;
    }
  }
  return { items, read };
}

/** Every item of a list, page by page. */
export async function* pages<Item>(
  path: string,
  query: Options["query"] = {},
  signal?: AbortSignal,
): AsyncGenerator<readonly Item[]> {
  let after: string | undefined;
  do {
    const options: Options = { query: { limit: 100, ...query, after } };
    const page: { items: readonly Item[]; next?: string } = await request("GET", path, signal ? { ...options, signal } : options);
    yield page.items;
    after = page.next;
  } while (after);
}
