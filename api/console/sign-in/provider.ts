import { readFileSync } from 'node:fs';
import type { ClientAuth, Configuration } from 'openid-client';
import type { Claims, SignInSettings } from '../../../model/configuration/sign-in';
import type { Attempt } from './attempt';

/** The identity provider at which people and staff sign in (OpenID Connect, code flow with PKCE). */
export interface Provider {
  readonly settings: SignInSettings;
  /** The page of the provider that asks the user. @param callback the address to which it returns */
  startUrl(attempt: Attempt, callback: string): Promise<string>;
  /**
   * Exchanges the code in the address for what the provider states about the user.
   * @param returned the whole address to which the provider has sent the browser
   * @throws the error of the library, if any check fails
   */
  finish(attempt: Attempt, returned: URL): Promise<Claims>;
  /** The page of the provider that ends its own session; null if it has none. */
  endUrl(back: string): Promise<string | null>;
}

const TIMEOUT_SECONDS = 10;

/**
 * Opens the provider. Its metadata is read when it is first needed, so the api starts without it. The library is loaded
 * then, too: without a provider, the process that seals passwords does not contain it.
 * @param recentMs how old a sign-in may be that the user was asked to repeat
 */
export function openProvider(settings: SignInSettings, recentMs: number): Provider {
  const maxAge = Math.floor(recentMs / 1000);
  const discovered = onceUntilFailed(() => discover(settings));
  return {
    settings,
    async startUrl({ state, nonce, verifier, again }, callback) {
      const { buildAuthorizationUrl, calculatePKCECodeChallenge } = await import('openid-client');
      return buildAuthorizationUrl(await discovered(), {
        redirect_uri: callback,
        scope: [...new Set(['openid', ...settings.scopes])].join(' '),
        code_challenge: await calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        ...{ state, nonce },
        ...(again ? { max_age: String(maxAge) } : {}),
      }).href;
    },
    async finish({ state, nonce, verifier, again }, returned) {
      const { authorizationCodeGrant } = await import('openid-client');
      const config = await discovered();
      const tokens = await authorizationCodeGrant(config, returned, {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        ...(again ? { maxAge } : {}),
      });
      const claims: Claims = { ...tokens.claims() };
      return { ...(await moreClaims(settings, config, tokens.access_token, claims)), ...claims };
    },
    async endUrl(back) {
      const { buildEndSessionUrl } = await import('openid-client');
      const config = await discovered();
      if (config.serverMetadata().end_session_endpoint === undefined) return null;
      // The client id names Lockstep. An ID token as hint would put what it states about the user into an address.
      return buildEndSessionUrl(config, { post_logout_redirect_uri: back }).href;
    },
  };
}

async function discover(settings: SignInSettings): Promise<Configuration> {
  const client = await import('openid-client');
  const authentication = await clientAuthentication(settings);
  return client.discovery(new URL(settings.issuer), settings.clientId, {}, authentication, {
    timeout: TIMEOUT_SECONDS,
    execute: [
      // The signature of an ID token is verified although TLS protects its way.
      client.enableNonRepudiationChecks,
      ...(settings.issuer.startsWith('http:') ? [client.allowInsecureRequests] : []),
    ],
  });
}

/** Shows the client secret that is in the file now, in the way that the provider supports. */
async function clientAuthentication({ clientSecretFile }: SignInSettings): Promise<ClientAuth> {
  const { ClientSecretBasic, ClientSecretPost, None } = await import('openid-client');
  if (clientSecretFile === undefined) return None();
  return (server, ...request) => {
    const secret = readFileSync(clientSecretFile, 'utf8').trim();
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    const isInHeader = methods.includes('client_secret_basic');
    const authentication = isInHeader ? ClientSecretBasic(secret) : ClientSecretPost(secret);
    return authentication(server, ...request);
  };
}

/** What only the userinfo endpoint states, for providers that keep groups and names out of the ID token. */
async function moreClaims(
  { identityClaim, groupsClaim, nameClaim }: SignInSettings,
  config: Configuration,
  accessToken: string,
  claims: Claims,
): Promise<Claims> {
  const wanted = [identityClaim, groupsClaim, nameClaim];
  if (config.serverMetadata().userinfo_endpoint === undefined) return {};
  if (wanted.every((name) => claims[name] !== undefined)) return {};
  const { fetchUserInfo } = await import('openid-client');
  return fetchUserInfo(config, accessToken, String(claims.sub));
}

/** Calls `make` once; after a failure, the next call tries again. */
function onceUntilFailed<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = null;
      throw error;
    });
    return made;
  };
}
