import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Configuration, Provider } from 'oidc-provider';

/** A user of the identity provider of the demo. */
export interface ProviderUser {
  readonly login: string;
  /** What the page of the provider shows; the login if it is missing. */
  readonly title?: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

export interface ProviderSpec {
  readonly port: number;
  readonly clientId: string;
  /** Null for a public client. */
  readonly clientSecret: string | null;
  readonly callback: string;
  /** The page after a sign-out. */
  readonly back: string;
  readonly users: readonly ProviderUser[];
}

export const issuerOf = ({ port }: Pick<ProviderSpec, 'port'>): string =>
  `http://127.0.0.1:${port}`;

/**
 * Serves a real OpenID Connect provider on this machine, for the demo and the tests. It asks for no password: one click
 * signs a user in, as a passkey does. It listens on loopback only, and production code never loads it.
 */
export async function serveIdentityProvider(spec: ProviderSpec): Promise<void> {
  const { default: OidcProvider } = await import('oidc-provider');
  const provider = new OidcProvider(issuerOf(spec), configurationOf(spec));
  const answer = provider.callback();
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', issuerOf(spec));
    if (!pathname.startsWith('/interaction/')) return void answer(request, response);
    interact(provider, spec, request, response).catch(() => response.writeHead(400).end());
  });
  await new Promise<void>((resolve) => {
    server.listen(spec.port, '127.0.0.1', resolve);
  });
}

const configurationOf = (spec: ProviderSpec): Configuration => ({
  clients: [
    {
      client_id: spec.clientId,
      ...(spec.clientSecret === null
        ? { token_endpoint_auth_method: 'none' as const }
        : { client_secret: spec.clientSecret }),
      redirect_uris: [spec.callback],
      post_logout_redirect_uris: [spec.back],
    },
  ],
  claims: {
    openid: ['sub', 'auth_time', 'groups', 'preferred_username'],
    profile: ['name'],
    email: ['email', 'email_verified'],
  },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
  findAccount: (_context, login) => {
    const user = spec.users.find((one) => one.login === login);
    return user && { accountId: login, claims: () => ({ sub: login, ...user.claims }) };
  },
  loadExistingGrant: consented,
  ttl: { AccessToken: 300, IdToken: 300, Interaction: 600, Session: 86_400, Grant: 86_400 },
  cookies: { keys: [spec.clientId] },
});

/** The demo needs no consent: its only client is Lockstep. */
const consented: Configuration['loadExistingGrant'] = async ({ oidc }) => {
  const grant = new oidc.provider.Grant({
    accountId: oidc.session?.accountId ?? '',
    clientId: oidc.client?.clientId ?? '',
  });
  grant.addOIDCScope('openid profile email');
  await grant.save();
  return grant;
};

/** Shows the users, and signs the one in who is clicked. */
async function interact(
  provider: Provider,
  { users }: ProviderSpec,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { uid } = await provider.interactionDetails(request, response);
  const url = new URL(request.url ?? '/', 'http://localhost');
  const login = users.find((user) => user.login === url.searchParams.get('login'))?.login;
  if (login !== undefined)
    return provider.interactionFinished(request, response, { login: { accountId: login } });
  const links = users.map(
    ({ login: name, title = name }) =>
      `<li><a href="/interaction/${uid}?login=${name}">${title}</a></li>`,
  );
  response.setHeader('content-type', 'text/html; charset=utf-8');
  response.end(
    `<!doctype html><html lang="en"><title>Sign in</title><h1>Who are you?</h1><p>The identity provider of the demo asks for no password.</p><ul>${links.join('')}</ul></html>`,
  );
}
