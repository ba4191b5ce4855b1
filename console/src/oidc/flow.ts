/**
 * Signing in at an identity provider by OpenID Connect: authorization code with PKCE, without a secret. This module is
 * loaded when somebody signs in there, comes back from there, or needs a new token.
 */
import * as oauth from "oauth4webapi";
import { type Provider, hostOf } from "./provider";

const PENDING = "modulo.oidc.pending";

/** What the provider issued, kept in this tab alone. */
export interface Tokens {
  readonly provider: Provider;
  readonly access: string;
  readonly refresh: string | null;
  readonly id: string | null;
}

/** What to tell when signing in failed, with what to do about it. */
export class SignInProblem extends Error {
  constructor(
    message: string,
    /** Whether the provider ended what it had granted, so that only signing in again helps. */
    readonly ended = false,
  ) {
    super(message);
    this.name = "SignInProblem";
  }
}

interface Pending {
  readonly verifier: string;
  readonly state: string;
  readonly nonce: string;
  /** What was shown. */
  readonly hash: string;
}

/** Go to the provider. */
export async function begin(provider: Provider): Promise<void> {
  if (!globalThis.crypto?.subtle)
    throw new SignInProblem("Browsers allow this sign-in only on pages opened by https://. Open this page so, or use an API key.");
  const server = await discovered(provider);
  if (!server.authorization_endpoint) throw new SignInProblem(`${hostOf(provider)} has no page to sign in at. Use an API key.`);
  const pending: Pending = {
    verifier: oauth.generateRandomCodeVerifier(),
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
    hash: location.hash,
  };
  sessionStorage.setItem(PENDING, JSON.stringify(pending));
  const address = new URL(server.authorization_endpoint);
  const asked = {
    response_type: "code",
    client_id: provider.client_id,
    redirect_uri: here(),
    scope: provider.scope,
    audience: provider.audience, // not in the standard, but some providers want it, and the others ignore it
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(pending.verifier),
    code_challenge_method: "S256",
  };
  for (const [name, value] of Object.entries(asked)) address.searchParams.set(name, value);
  location.assign(address);
}

/** The place that was left for the provider, which may be returned to once; null where this tab went to none. */
export function left(): Pending | null {
  const kept = sessionStorage.getItem(PENDING);
  sessionStorage.removeItem(PENDING);
  return kept ? (JSON.parse(kept) as Pending) : null;
}

/** Exchange what the provider sent back for tokens. */
export async function complete(provider: Provider, pending: Pending | null, answer: URLSearchParams): Promise<Tokens> {
  if (!pending || answer.get("state") !== pending.state)
    throw new SignInProblem("This sign-in was not begun in this tab, or was begun again meanwhile. Sign in again.");
  const server = await discovered(provider);
  const client: oauth.Client = { client_id: provider.client_id };
  return translated(provider, async () => {
    const checked = oauth.validateAuthResponse(server, client, answer, pending.state);
    const response = await oauth.authorizationCodeGrantRequest(
      server, client, oauth.None(), checked, here(), pending.verifier, options(provider),
    );
    const issued = await oauth.processAuthorizationCodeResponse(server, client, response, {
      expectedNonce: pending.nonce, requireIdToken: true,
    });
    return { provider, access: issued.access_token, refresh: issued.refresh_token ?? null, id: issued.id_token ?? null };
  });
}

/** New tokens in place of those that have expired. */
export async function refreshed(tokens: Tokens): Promise<Tokens> {
  const { provider, refresh } = tokens;
  if (!refresh) throw new SignInProblem("Your sign-in has ended.", true);
  const server = await discovered(provider);
  const client: oauth.Client = { client_id: provider.client_id };
  return translated(provider, async () => {
    const response = await oauth.refreshTokenGrantRequest(server, client, oauth.None(), refresh, options(provider));
    const issued = await oauth.processRefreshTokenResponse(server, client, response);
    return {
      provider, access: issued.access_token, refresh: issued.refresh_token ?? refresh, id: issued.id_token ?? tokens.id,
    };
  });
}

/** Where the provider ends its own session, if it can. */
export async function endOf(tokens: Tokens): Promise<URL | null> {
  const server = await discovered(tokens.provider);
  if (!server.end_session_endpoint) return null;
  const address = new URL(server.end_session_endpoint);
  address.searchParams.set("client_id", tokens.provider.client_id);
  address.searchParams.set("post_logout_redirect_uri", here());
  if (tokens.id) address.searchParams.set("id_token_hint", tokens.id);
  return address;
}

/** The address of this page, which the provider has to know. */
const here = (): string => new URL(".", `${location.origin}${location.pathname}`).href;

/** Tokens travel by http:// only to a provider that the server itself names so, such as one on this machine. */
const options = ({ issuer }: Provider) => ({ [oauth.allowInsecureRequests]: issuer.startsWith("http:") });

async function discovered(provider: Provider): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(provider.issuer);
  return translated(provider, async () => {
    const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options(provider)));
    const { origin } = new URL(server.token_endpoint ?? issuer);
    if (origin !== issuer.origin && origin !== provider.token_origin)
      throw new SignInProblem(`${hostOf(provider)} issues tokens at ${origin}, which this page may not reach. Tell your operator to set OIDC_TOKEN_ORIGIN, or use an API key.`);
    return server;
  });
}

/** Every failure as something to tell. */
async function translated<Result>(provider: Provider, work: () => Promise<Result>): Promise<Result> {
  const host = hostOf(provider);
  try {
    return await work();
  } catch (error) {
    if (error instanceof SignInProblem) throw error;
    if (error instanceof oauth.AuthorizationResponseError) {
      if (error.error === "access_denied") throw new SignInProblem(`${host} did not let you in, or you declined. Sign in again, or use an API key.`);
      throw new SignInProblem(`${host} refused: ${error.error_description ?? error.error}. Sign in again; if that does not help, tell your operator.`);
    }
    if (error instanceof oauth.ResponseBodyError)
      throw new SignInProblem(`${host} issued no token: ${error.error_description ?? error.error}. Sign in again.`, true);
    if (error instanceof TypeError)
      throw new SignInProblem(`${host} does not answer this page. Check that you are online; if so, tell your operator to allow this address there.`);
    throw new SignInProblem(`${host} answered what cannot be trusted. Sign in again; if that does not help, tell your operator.`);
  }
}
