/** Who is signed in. The key stays in this tab, or in this browser where the user asks for it. */
import { batch, signal } from "@preact/signals";
import { credential, onRefused, reason, request } from "../api/http";
import type { Caller } from "../api/types";

const NAME = "modulo.key";
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

onRefused(() => signOut("The server refuses this key: it is wrong, expired or revoked. Sign in again."));

addEventListener("hashchange", () => {
  if (CODE_IN_ADDRESS.test(location.hash)) void resume();
});

/** Sign in with the code or the key that a link brought, or with the key that was kept. */
export async function resume(): Promise<void> {
  const code = CODE_IN_ADDRESS.exec(location.hash)?.[1];
  if (code) {
    history.replaceState(null, "", "#/");
    await signInWith(code);
    return;
  }
  const brought = KEY_IN_ADDRESS.exec(location.hash)?.[1];
  if (brought) history.replaceState(null, "", "#/");
  const key = brought ? decodeURIComponent(brought) : stored();
  if (key) await signIn(key, localStorage.getItem(NAME) !== null);
}

/** Exchange the code of a one-time link; one that was used leaves whoever is signed in, or asks for a key. */
async function signInWith(code: string): Promise<void> {
  signingIn.value = true;
  try {
    const { api_key } = await request<{ api_key: string }>("POST", "/sign-in", { json: { code } });
    await signIn(api_key, localStorage.getItem(NAME) !== null);
  } catch (error) {
    const kept = stored();
    if (kept) await signIn(kept, localStorage.getItem(NAME) !== null);
    else signedOutBecause.value = reason(error);
  } finally {
    signingIn.value = false;
  }
}

export async function signIn(key: string, remember: boolean): Promise<void> {
  signingIn.value = true;
  signedOutBecause.value = "";
  credential.value = key;
  try {
    caller.value = await request<Caller>("GET", "/me");
    sessionStorage.setItem(NAME, key);
    if (remember) localStorage.setItem(NAME, key);
  } catch (error) {
    // A server that does not answer says nothing about the key, which stays for the next attempt.
    if (credential.value) batch(() => ((credential.value = ""), (signedOutBecause.value = reason(error))));
  } finally {
    signingIn.value = false;
  }
}

export function signOut(because = ""): void {
  sessionStorage.removeItem(NAME);
  localStorage.removeItem(NAME);
  for (const leave of leaving) leave(because !== "");
  batch(() => {
    credential.value = "";
    caller.value = null;
    signedOutBecause.value = because;
  });
}

/** The key that was kept, if any. */
export function stored(): string {
  return sessionStorage.getItem(NAME) ?? localStorage.getItem(NAME) ?? "";
}
