import { z } from 'zod';
import type { Secret } from '../../model/passwords/secret';
import type { ConnectorTools } from '../contract';
import { serviceLogins } from '../service-logins';
import type { HttpClient, HttpReply, HttpRequest } from './client';
import { NoReply, NotSent } from './failures';
import { retryAfterMs } from './retry-after';
import { isJson, json } from './success';

/** The credential with which Lockstep signs in to an API. */
export interface Credential {
  /** Returns the value of the Authorization header, or null for none. @throws NotSent */
  authorization(signal: AbortSignal): Promise<string | null>;
  /** Reports that the server refused this value. @returns whether another value may succeed */
  refused(authorization: string | null): boolean;
  /**
   * Makes the next request sign in again, even if the secret was refused before. `lockstep doctor` uses it, because an
   * operator may just have corrected the credential.
   */
  forget(): void;
}

export const anonymous: Credential = {
  authorization: async () => null,
  refused: () => false,
  forget() {},
};

/** Vendor code of our own: the private key is not of a kind with which Lockstep can sign in. */
export const KEY_NOT_SUPPORTED = 'key_not_supported';

/** A token that does not expire by itself. @param scheme authentication scheme of the Authorization header */
export const fixedToken = (
  scheme: 'Bearer' | 'SSWS',
  reference: string,
  tools: ConnectorTools,
): Credential => ({
  async authorization() {
    const token = serviceSecret(reference, tools);
    const text = token.text();
    token.destroy();
    // Other characters are not allowed in a header.
    if (!/^[\x21-\x7e]+$/.test(text)) throw new NotSent('service_credential_refused', 'malformed');
    return `${scheme} ${text}`;
  },
  refused: () => false,
  forget() {},
});

/** Authorization header of an OAuth client (RFC 6749 §2.3.1): id and secret, both form-encoded. */
export function basic(clientId: string, secret: Secret): string {
  const pair = `${encodeURIComponent(clientId)}:${encodeURIComponent(secret.text())}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

interface Token {
  readonly authorization: string;
  readonly until: number;
}

/** Part of its life for which a token is used. */
const USED_LIFE = 0.9;
/** Life of a token for which the server reports none (RFC 6749 §5.1 recommends that it does). */
const LIFE_SECONDS = 300;

/**
 * Builds the request for a token. It borrows the secret, and its caller zeroes the body of the request.
 * @throws NotSent
 */
export type TokenRequest = (secret: Secret) => HttpRequest | Promise<HttpRequest>;

/**
 * OAuth 2.0 client credentials (RFC 6749 §4.4). Simultaneous requests share one request for a token.
 * @param reference reference to the secret, which is resolved each time, so that a rotated one is picked up
 */
export function clientCredentials(
  http: HttpClient,
  reference: string,
  tools: ConnectorTools,
  request: TokenRequest,
): Credential {
  const logins = serviceLogins(
    (error) => error instanceof NotSent && error.reason === 'service_credential_refused',
  );
  let how: 'inTurn' | 'immediately' = 'inTurn';
  let token: Token | null = null;
  let fetching: Promise<Token> | null = null;

  const fetch = async (signal: AbortSignal): Promise<Token> => {
    const secret = serviceSecret(reference, tools);
    try {
      return await logins[how](secret, async () => tokenFor(http, await request(secret), signal));
    } finally {
      how = 'inTurn';
      secret.destroy();
    }
  };
  return {
    async authorization(signal) {
      if (token !== null && performance.now() < token.until) return token.authorization;
      fetching ??= fetch(signal).finally(() => {
        fetching = null;
      });
      token = await fetching;
      return token.authorization;
    },
    refused(authorization) {
      if (token?.authorization === authorization) token = null;
      return true;
    },
    forget() {
      token = null;
      how = 'immediately';
    },
  };
}

/** A bearer token (RFC 6749 §5.1, RFC 6750 §4). Other characters are not allowed in a header. */
const tokenBody = json(
  z.looseObject({
    access_token: z.string().regex(/^[\x21-\x7e]+$/),
    token_type: z.string().regex(/^bearer$/i),
    expires_in: z.unknown(),
  }),
);

async function tokenFor(
  http: HttpClient,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<Token> {
  let reply: HttpReply;
  try {
    reply = await http.send(request, signal);
  } catch (error) {
    // A request for a token changes nothing, so a missing reply means the same as a request that was not sent.
    throw error instanceof NoReply ? new NotSent('unreachable', error.vendorCode) : error;
  } finally {
    request.body?.fill(0);
  }
  const read = reply.status === 200 ? tokenBody(reply) : null;
  if (read === null) throw refusal(reply);
  const { access_token: token, expires_in: life } = read.value;
  const seconds = Number(life) > 0 ? Number(life) : LIFE_SECONDS;
  return {
    authorization: `Bearer ${token}`,
    until: performance.now() + seconds * 1000 * USED_LIFE,
  };
}

/** Error codes of RFC 6749 §5.2, and of RFC 9449 §5 for a server that requires DPoP. */
const oauthErrors = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_dpop_proof',
  'use_dpop_nonce',
];

/** An error response (RFC 6749 §5.2). The authorization server of an Okta organization calls the member errorCode. */
const oauthError = z.union([
  z.looseObject({ error: z.string() }).transform(({ error }) => error),
  z.looseObject({ errorCode: z.string() }).transform(({ errorCode }) => errorCode),
]);

function refusal(reply: HttpReply): NotSent {
  const { status } = reply;
  const wait = retryAfterMs(reply, Date.now());
  if (status === 429) return new NotSent('throttled', '429', wait);
  if (status >= 500 || status === 408) return new NotSent('busy', String(status), wait);
  const error = isJson(reply) ? oauthError.safeParse(reply.json).data : undefined;
  // The page of a proxy says nothing about the credential, which a pause of the source would blame.
  if (error === undefined || ![400, 401, 403].includes(status))
    return new NotSent('unknown', `token_${status}`);
  const code = oauthErrors.find((known) => known === error);
  return new NotSent('service_credential_refused', code ?? String(status));
}

/** Resolves a secret of the settings. The caller destroys it. @throws NotSent if the reference cannot be resolved */
export function serviceSecret(reference: string, tools: ConnectorTools): Secret {
  try {
    return tools.resolve(reference);
  } catch {
    throw new NotSent('service_credential_refused', 'not_readable');
  }
}
