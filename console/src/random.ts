/** A random identifier; crypto.randomUUID() exists only where the page was loaded securely. */
export function identifier(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
