import { useSignal } from "@preact/signals";
import { Notice } from "../parts/controls";
import { Logo } from "../parts/icons";
import { signIn, signedOutBecause, signingIn, stored } from "../state/session";

export function SignIn() {
  const key = useSignal(stored()); // there is one where the server did not answer
  const remember = useSignal(false);
  const busy = signingIn.value;
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
        <button type="submit" class="primary wide" disabled={busy}>{busy ? "Signing in…" : "Sign in"}</button>
      </form>
      <p class="muted foot"><a href="api/docs">API reference</a></p>
    </main>
  );
}
