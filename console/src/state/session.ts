/** Who is signed in. A key stays in this tab, or in this browser where the user asks for it; tokens stay in this tab. */
import { batch, signal } from "@preact/signals";
import { Problem, credential, onExpired, onRefused, reason, request } from "../api/http";
import type { Caller } from "../api/types";
import type { Tokens } from "../oidc/flow";
import { type Provider, provider } from "../oidc/provider";
import { go } from "../route";

const NAME = "modulo.key";
const TOKENS = "modulo.oidc";
const KEY_IN_ADDRESS = /^#(?:\/?key=)(.+)$/;
/** Of a one-time link, which `make up` prints; the code is exchanged for a key. */
const CODE_IN_ADDRESS = /^#signin=([\w-]+)$/;

export const caller = signal<Caller | null>(null);
/** Why nobody is signed in any more. */
export const signedOutBecause = signal("");
export const signingIn = signal(false);

/** Undo what belongs to the user who leaves. */
const leaving: ((refused: boolean) => void)[] = [];

/** `refused`: the server refused the key, so that the same user may be back soon. */
export function onSignOut(callback: (refused: boolean) => void): void {
  leaving.push(callback);
}

/** Of a sign-in at an identity provider, while its user is signed in. */
let tokens: Tokens | null = null;
/** Access tokens of the same sign-in that newer ones have replaced. */
const replaced = new Set<string>();
let renewing: Promise<string> | null = null;

onRefused((detail) => {
  if (!tokens) signOut("The server refuses this key: it is wrong, expired or revoked. Sign in again.");
  else if (caller.value) signOut("Your sign-in has ended. Sign in again to go on where you were.");
  else signOut(`The server does not accept this sign-in: ${detail} If signing in again does not help, tell your operator.`);
});

onExpired(async (used) => {
  if (replaced.has(used)) return credential.value;
  if (!tokens?.refresh || tokens.access !== used) return "";
  renewing ??= renewed(tokens).finally(() => (renewing = null));
  return renewing;
});

addEventListener("hashchange", () => {
  if (CODE_IN_ADDRESS.test(location.hash) || KEY_IN_ADDRESS.test(location.hash)) void resume();
});

addEventListener("pageshow", (event) => {
  if (event.persisted) signingIn.value = false; // back from the identity provider without an answer
});

/** Sign in with what a link or the identity provider brought, or with what was kept. */
export async function resume(): Promise<void> {
  const answer = new URLSearchParams(location.search);
  if (answer.has("state") && (answer.has("code") || answer.has("error"))) return comeBack(answer);
  const code = CODE_IN_ADDRESS.exec(location.hash)?.[1];
  if (code) {
    history.replaceState(null, "", "#/");
    await signInWith(code);
    return;
  }
  const brought = KEY_IN_ADDRESS.exec(location.hash)?.[1];
  if (!brought) return void (await resumeKept());
  history.replaceState(null, "", "#/");
  const remember = localStorage.getItem(NAME) !== null;
  if (caller.value) signOut("Signing in again.");
  await signIn(decodeURIComponent(brought), remember);
}

/** Sign in with what was kept, if anything was. */
async function resumeKept(): Promise<boolean> {
  const kept = sessionStorage.getItem(TOKENS);
  const key = stored();
  if (kept) await signInWithTokens(JSON.parse(kept) as Tokens);
  else if (key) await signIn(key, localStorage.getItem(NAME) !== null);
  return Boolean(kept || key);
}

/** Exchange the code of a one-time link; one that was used leaves whoever is signed in, or asks for a key. */
async function signInWith(code: string): Promise<void> {
  signingIn.value = true;
  try {
    const { api_key } = await request<{ api_key: string }>("POST", "/sign-in", { json: { code }, anonymous: true });
    if (caller.value) signOut("Signing in again.");
    await signIn(api_key, localStorage.getItem(NAME) !== null);
  } catch (error) {
    if (!(await resumeKept())) signedOutBecause.value = reason(error);
  } finally {
    signingIn.value = false;
  }
}

export async function signIn(key: string, remember: boolean): Promise<void> {
  await enter(key, () => {
    sessionStorage.setItem(NAME, key);
    if (remember) localStorage.setItem(NAME, key);
  });
}

/** Go to the identity provider; the browser comes back to what is shown now. */
export async function signInAt(chosen: Provider): Promise<void> {
  signingIn.value = true;
  signedOutBecause.value = "";
  try {
    await (await import("../oidc/flow")).begin(chosen);
  } catch (error) {
    batch(() => ((signingIn.value = false), (signedOutBecause.value = told(error))));
  }
}

/** Take what the identity provider sent back out of the address, and sign in with it. */
async function comeBack(answer: URLSearchParams): Promise<void> {
  history.replaceState(null, "", location.pathname);
  signingIn.value = true;
  try {
    const flow = await import("../oidc/flow");
    const pending = flow.left();
    if (pending) go(pending.hash || "#/", true);
    const known = await provider();
    if (!known) throw new flow.SignInProblem("The server does not tell where to sign in. Reload the page, or use an API key.");
    await signInWithTokens(await flow.complete(known, pending, answer));
  } catch (error) {
    if (!(await resumeKept())) signedOutBecause.value = told(error);
  } finally {
    signingIn.value = false;
  }
}

async function signInWithTokens(given: Tokens): Promise<void> {
  tokens = given;
  await enter(given.access, () => tokens && sessionStorage.setItem(TOKENS, JSON.stringify(tokens)));
}

async function enter(used: string, keep: () => void): Promise<void> {
  signingIn.value = true;
  signedOutBecause.value = "";
  credential.value = used;
  try {
    caller.value = await request<Caller>("GET", "/me");
    keep();
  } catch (error) {
    // A server that does not answer says nothing about the credential, which stays for the next attempt.
    if (credential.value) batch(() => ((credential.value = ""), (signedOutBecause.value = reason(error))));
  } finally {
    signingIn.value = false;
  }
}

/** The access token in place of one that has expired; empty where the identity provider gives none any more. */
async function renewed(old: Tokens): Promise<string> {
  const flow = await import("../oidc/flow");
  try {
    const fresh = await flow.refreshed(old);
    if (tokens !== old) return ""; // signed out meanwhile
    tokens = fresh;
    replaced.add(old.access);
    sessionStorage.setItem(TOKENS, JSON.stringify(fresh));
    credential.value = fresh.access;
    return fresh.access;
  } catch (error) {
    if (error instanceof flow.SignInProblem && error.ended) return "";
    throw new Problem(0, "unreachable", told(error));
  }
}

const told = (error: unknown): string => (error instanceof Error && error.name === "SignInProblem" ? error.message : reason(error));

export function signOut(because = ""): void {
  const ended = dropTokens();
  sessionStorage.removeItem(NAME);
  localStorage.removeItem(NAME);
  for (const leave of leaving) leave(because !== "");
  batch(() => {
    credential.value = "";
    caller.value = null;
    signedOutBecause.value = because;
  });
  if (ended && !because) void endAt(ended);
}

function dropTokens(): Tokens | null {
  const dropped = tokens;
  tokens = null;
  replaced.clear();
  sessionStorage.removeItem(TOKENS);
  return dropped;
}

/** End the identity provider's own session too, or the next click would sign in again unasked. */
async function endAt(ended: Tokens): Promise<void> {
  const address = await import("../oidc/flow").then((flow) => flow.endOf(ended)).catch(() => null);
  if (address) location.assign(address);
}

/** The key that was kept, if any. */
export function stored(): string {
  return sessionStorage.getItem(NAME) ?? localStorage.getItem(NAME) ?? "";
}
