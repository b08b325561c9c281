import type { Secret } from '../../model/passwords/secret';
import type { ConnectorTools } from '../contract';
import { serviceLogins } from '../service-logins';
import type { HttpClient, HttpReply, HttpRequest } from './client';
import { NoReply, NotSent } from './failures';
import { retryAfterMs } from './retry-after';

/** How Lockstep signs in. */
export interface Credential {
  /** The value of the Authorization header; null for none. @throws NotSent */
  authorization(signal: AbortSignal): Promise<string | null>;
  /** The server refuses this value. @returns whether it may take another one */
  refused(authorization: string | null): boolean;
  /** Signs in anew at the next request, whatever became of it before: somebody asks whether it is right now. */
  forget(): void;
}

export const nobody: Credential = {
  authorization: async () => null,
  refused: () => false,
  forget() {},
};

/** A token that does not change by itself. @param scheme what stands before it in the header */
export const fixedToken = (
  scheme: 'Bearer' | 'SSWS',
  reference: string,
  tools: ConnectorTools,
): Credential => ({
  async authorization() {
    const token = serviceSecret(reference, tools);
    const text = token.text();
    token.destroy();
    // Anything else would end the header.
    if (!/^[\x21-\x7e]+$/.test(text)) throw new NotSent('service_credential_refused', 'malformed');
    return `${scheme} ${text}`;
  },
  refused: () => false,
  forget() {},
});

/** A client that signs in with name and secret (RFC 6749 §2.3.1), both as in a form. */
export function basic(clientId: string, secret: Secret): string {
  const pair = `${encodeURIComponent(clientId)}:${encodeURIComponent(secret.text())}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

interface Token {
  readonly authorization: string;
  readonly until: number;
}

/** A token is not used in the last tenth of its life. */
const USED_LIFE = 0.9;
/** Where the server does not say (RFC 6749 §5.1 recommends that it does). */
const LIFE_SECONDS = 300;

/** How a token is asked for with the secret, which is lent. The body of the request is zeroed. @throws NotSent */
export type TokenRequest = (secret: Secret) => HttpRequest | Promise<HttpRequest>;

/**
 * OAuth 2.0 client credentials (RFC 6749 §4.4). A crowd that needs a token asks for it once.
 * @param reference of the secret, which is read each time, so that a rotated one is picked up
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
  let how: 'inTurn' | 'anew' = 'inTurn';
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
      how = 'anew';
    },
  };
}

async function tokenFor(
  http: HttpClient,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<Token> {
  let reply: HttpReply;
  try {
    reply = await http.send(request, signal);
  } catch (error) {
    // Of a token, no reply is as good as not sent.
    throw error instanceof NoReply ? new NotSent('unreachable', error.vendorCode) : error;
  } finally {
    request.body?.fill(0);
  }
  const { access_token: value, expires_in: life } = (reply.json ?? {}) as Record<string, unknown>;
  if (reply.status !== 200 || typeof value !== 'string') throw refusal(reply);
  const seconds = Number(life) > 0 ? Number(life) : LIFE_SECONDS;
  return {
    authorization: `Bearer ${value}`,
    until: performance.now() + seconds * 1000 * USED_LIFE,
  };
}

/** RFC 6749 §5.2, and RFC 9449 §5 of a server that wants DPoP. */
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

function refusal(reply: HttpReply): NotSent {
  const { status, json } = reply;
  const wait = retryAfterMs(reply, Date.now());
  if (status === 429) return new NotSent('throttled', '429', wait);
  if (status >= 500 || status === 408) return new NotSent('busy', String(status), wait);
  const { error } = (json ?? {}) as { error?: unknown };
  const code = oauthErrors.find((known) => known === error);
  if (status === 400 || status === 401 || status === 403)
    return new NotSent('service_credential_refused', code ?? String(status));
  return new NotSent('unknown', `token_${status}`);
}

/** @throws NotSent when the reference names nothing that can be read */
export function serviceSecret(reference: string, tools: ConnectorTools): Secret {
  try {
    return tools.resolve(reference);
  } catch {
    throw new NotSent('service_credential_refused', 'not_readable');
  }
}
