import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { type Provider, hostOf, provider } from "../oidc/provider";
import { Help, Notice } from "../parts/controls";
import { Logo } from "../parts/icons";
import { signIn, signInAt, signedOutBecause, signingIn, stored } from "../state/session";

export function SignIn() {
  const key = useSignal(stored()); // there is one where the server did not answer
  const remember = useSignal(false);
  const busy = signingIn.value;
  const there = useSignal<Provider | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    void provider().then((found) => (there.value = found));
  }, []);
  useEffect(() => {
    if (!key.value) button.current?.focus();
  }, [there.value]);
  return (
    <main class="sign-in" id="main">
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault();
          const given = key.value.trim();
          if (given) void signIn(given, remember.value);
        }}
      >
        <div class="brand"><Logo /> <span>Modulo</span></div>
        <h1>Sign in</h1>
        <p class="muted">Ask your documents, and see the passage behind every answer.</p>
        {signedOutBecause.value && <Notice>{signedOutBecause.value}</Notice>}
        {there.value && (
          <>
            <button ref={button} type="button" class="primary wide" disabled={busy} onClick={() => there.value && void signInAt(there.value)}>
              Sign in with {hostOf(there.value)}
            </button>
            <p class="or muted"><span>or with an API key</span></p>
          </>
        )}
        <label class="field">
          <span>API key</span>
          <input
            type="password"
            autocomplete="off"
            spellcheck={false}
            placeholder="mod_…"
            required
            autofocus
            value={key}
            onInput={(event) => (key.value = event.currentTarget.value)}
          />
          <small class="muted"><code>make up</code> prints one; operators make more with <code>modulo admin keys create</code>.</small>
        </label>
        <label class="check">
          <input type="checkbox" checked={remember} onChange={(event) => (remember.value = event.currentTarget.checked)} />
          <span>Keep me signed in on this device</span>
        </label>
        <button type="submit" class={there.value ? "quiet wide" : "primary wide"} disabled={busy}>{busy ? "Signing in…" : "Sign in"}</button>
      </form>
      <Help />
    </main>
  );
}
