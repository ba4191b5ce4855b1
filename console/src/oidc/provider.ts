/** What the server tells of the identity provider, if people sign in at one. */

export interface Provider {
  readonly issuer: string;
  readonly client_id: string;
  readonly scope: string;
  readonly audience: string;
  /** Where the token endpoint may be besides the issuer's own origin; empty for nowhere. */
  readonly token_origin?: string;
}

let asked: Promise<Provider | null> | null = null;

/** Asked once; a server that does not answer is asked again the next time. */
export function provider(): Promise<Provider | null> {
  asked ??= read().catch(() => (asked = null));
  return asked;
}

async function read(): Promise<Provider | null> {
  const response = await fetch(new URL("console.json", document.baseURI));
  if (response.status === 404) return null; // another server of these files, without a provider
  if (!response.ok) throw new Error(String(response.status));
  return ((await response.json()) as { oidc: Provider | null }).oidc;
}

export const hostOf = (one: Pick<Provider, "issuer">): string => new URL(one.issuer).host;
