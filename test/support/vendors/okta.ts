import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { z } from 'zod';
import { filterOf } from './filter';
import { type Answer, type Route, startVendor, type VendorServer } from './vendor';

export interface OktaUser {
  readonly id: string;
  status: string;
  passwordChanged: string;
  profile: { login: string; readonly email: string; readonly title: string };
  credentials: { password?: object; provider: { type: string; name: string } };
}

export interface OktaVendor extends VendorServer {
  readonly users: Map<string, OktaUser>;
  readonly passwords: Map<string, string>;
  readonly failedLogins: Map<string, number>;
  /** Private keys of the service app, by their algorithm. */
  readonly privateKeys: Readonly<Record<'ES256' | 'ES384' | 'ES512' | 'RS256', string>>;
  readonly clientId: string;
  addUser(name: string, password: string): OktaUser;
  /** Sets the user to whom the API tokens belong. */
  tokensOf(id: string | null): void;
  /** Invalidates all issued tokens. */
  expireTokens(): void;
  /** Number of issued tokens. */
  tokensGiven(): number;
}

export const OKTA_TOKEN = '00-token-of-an-administrator';
export const OKTA_READER = '00-token-of-a-read-only-administrator';

const error = (status: number, errorCode: string, ...causes: string[]): Answer => ({
  status,
  json: {
    errorCode,
    errorSummary: 'No.',
    errorLink: errorCode,
    errorId: 'oae',
    errorCauses: causes.map((errorSummary) => ({ errorSummary })),
  },
});

const keysOfServiceApp = () => ({
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ES384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  ES512: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
});

export const pemOf = (key: KeyObject): string =>
  key.export({ type: 'pkcs8', format: 'pem' }).toString();

const newId = () => `00u${randomBytes(9).toString('hex').slice(0, 17)}`;

export async function startOktaVendor(): Promise<OktaVendor> {
  const users = new Map<string, OktaUser>();
  const passwords = new Map<string, string>();
  const failedLogins = new Map<string, number>();
  const keys = keysOfServiceApp();
  const publicKeyOf = (assertion: string) =>
    keys[decodeProtectedHeader(assertion).alg as keyof typeof keys].publicKey;
  const clientId = '0oa1serviceapp';
  let tokens = new Set<string>();
  let given = 0;
  let owner: string | null = null;
  let origin = '';

  const signedIn =
    (answer: Route['answer'], ...roles: ('admin' | 'reader')[]): Route['answer'] =>
    (request, ...parameters) => {
      const [scheme, token = ''] = request.headers.authorization?.split(' ') ?? [];
      const role =
        token === OKTA_TOKEN || (scheme === 'Bearer' && tokens.has(token))
          ? 'admin'
          : token === OKTA_READER
            ? 'reader'
            : null;
      if (role === null) return error(401, 'E0000011');
      return roles.includes(role) ? answer(request, ...parameters) : error(403, 'E0000006');
    };
  const anybody = (answer: Route['answer']) => signedIn(answer, 'admin', 'reader');
  const administrator = (answer: Route['answer']) => signedIn(answer, 'admin');
  /** Finds a user by id or by login. */
  const withUser =
    (answer: (user: OktaUser, body: unknown) => Answer): Route['answer'] =>
    ({ body }, key = '') => {
      const user =
        users.get(key === 'me' ? (owner ?? '') : key) ??
        [...users.values()].find(
          ({ profile }) => profile.login?.toLowerCase() === key.toLowerCase(),
        );
      return user === undefined
        ? error(404, 'E0000007', `Not found: ${key} (User)`)
        : answer(user, body);
    };

  const common = { authorization: /^(SSWS|Bearer) \S+$/, accept: 'application/json' };
  const number = z.string().regex(/^\d+$/);
  const routes: Route[] = [
    {
      ...common,
      method: 'GET',
      path: /^\/api\/v1\/users$/,
      query: z.union([
        z.strictObject({ search: z.string(), limit: number }),
        z.strictObject({ limit: number, after: z.string().optional() }),
      ]),
      answer: anybody(({ query }) => {
        const all = [...users.values()].filter(
          filterOf(query.get('search'), ({ profile }, path) => [
            (profile as Record<string, unknown>)[path.replace(/^profile\./, '')],
          ]),
        );
        const start = Number(query.get('after') ?? 0);
        const end = start + Number(query.get('limit'));
        const self = `<${origin}/api/v1/users?limit=${query.get('limit')}>; rel="self"`;
        const next = `<${origin}/api/v1/users?after=${end}&limit=${query.get('limit')}>; rel="next"`;
        const link = end < all.length ? `${self}, ${next}` : self;
        return { status: 200, headers: { link }, json: all.slice(start, end) };
      }),
    },
    {
      ...common,
      method: 'GET',
      path: /^\/api\/v1\/users\/([^/]+)$/,
      answer: anybody(withUser((user) => ({ status: 200, json: user }))),
    },
    {
      ...common,
      method: 'POST',
      path: /^\/api\/v1\/users\/([^/]+)$/,
      query: z.strictObject({ strict: z.literal('true').optional() }),
      content: {
        type: 'application/json',
        shape: z.strictObject({
          credentials: z.strictObject({ password: z.strictObject({ value: z.string().min(1) }) }),
        }),
      },
      writes: true,
      answer: administrator(
        withUser((user, body) => {
          const { value } = (body as { credentials: { password: { value: string } } }).credentials
            .password;
          const open = ['STAGED', 'ACTIVE', 'PASSWORD_EXPIRED', 'RECOVERY'].includes(user.status);
          if (!open || user.credentials.provider.type !== 'OKTA') return error(403, 'E0000038');
          if (value.length < 8)
            return error(403, 'E0000014', `Password requirements were not met by ${value}.`);
          if (value === 'commonplace')
            return error(400, 'E0000001', 'password: This password was found in a list.');
          passwords.set(user.id, value);
          user.passwordChanged = new Date().toISOString();
          if (user.status !== 'STAGED') user.status = 'ACTIVE';
          return { status: 200, json: user };
        }),
      ),
    },
    {
      ...common,
      method: 'POST',
      path: /^\/api\/v1\/users\/([^/]+)\/lifecycle\/expire_password$/,
      answer: administrator(
        withUser((user) => {
          user.status = 'PASSWORD_EXPIRED';
          return { status: 200, json: user };
        }),
      ),
    },
    {
      ...common,
      method: 'POST',
      path: /^\/api\/v1\/users\/([^/]+)\/lifecycle\/unlock$/,
      answer: administrator(
        withUser((user) => {
          if (user.status !== 'LOCKED_OUT') return error(403, 'E0000032');
          user.status = 'ACTIVE';
          return { status: 200, json: {} };
        }),
      ),
    },
    {
      ...common,
      method: 'GET',
      path: /^\/api\/v1\/policies$/,
      query: z.strictObject({ type: z.literal('PASSWORD') }),
      answer: administrator(() => ({ status: 200, json: policies })),
    },
    {
      method: 'POST',
      path: /^\/api\/v1\/authn$/,
      accept: 'application/json',
      content: {
        type: 'application/json',
        shape: z.strictObject({ username: z.string().min(1), password: z.string().min(1) }),
      },
      answer: ({ body }) => {
        const { username, password } = body as { username: string; password: string };
        const user = [...users.values()].find(({ profile }) => profile.login === username);
        const right = user !== undefined && passwords.get(user.id) === password;
        const usable = ['ACTIVE', 'PASSWORD_EXPIRED', 'RECOVERY'].includes(user?.status ?? '');
        if (right && usable) {
          const status = user.status === 'ACTIVE' ? 'SUCCESS' : user.status;
          const { id, profile } = user;
          const _embedded = { user: { id, profile: { login: profile.login } } };
          return { status: 200, json: { status, sessionToken: 'never-used', _embedded } };
        }
        if (user !== undefined) failedLogins.set(user.id, (failedLogins.get(user.id) ?? 0) + 1);
        return error(401, 'E0000004');
      },
    },
    {
      method: 'POST',
      path: /^\/oauth2\/v1\/token$/,
      accept: 'application/json',
      content: {
        type: 'application/x-www-form-urlencoded',
        shape: z.strictObject({
          grant_type: z.literal('client_credentials'),
          scope: z.literal('okta.users.manage okta.users.read okta.policies.read'),
          client_assertion_type: z.literal(
            'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          ),
          client_assertion: z.string(),
        }),
      },
      async answer({ body }) {
        const { client_assertion: assertion } = body as { client_assertion: string };
        const expected = {
          issuer: clientId,
          subject: clientId,
          audience: `${origin}/oauth2/v1/token`,
        };
        try {
          await jwtVerify(assertion, publicKeyOf(assertion), {
            ...expected,
            requiredClaims: ['jti', 'exp', 'iat'],
          });
        } catch {
          return { status: 401, json: { error: 'invalid_client', error_description: 'No.' } };
        }
        const token = randomBytes(16).toString('hex');
        tokens.add(token);
        given++;
        return {
          status: 200,
          json: { token_type: 'Bearer', expires_in: 3600, access_token: token },
        };
      },
    },
  ];
  const server = await startVendor(routes);
  origin = `https://localhost:${server.address.port}`;
  return {
    ...server,
    users,
    passwords,
    failedLogins,
    clientId,
    privateKeys: {
      ES256: pemOf(keys.ES256.privateKey),
      ES384: pemOf(keys.ES384.privateKey),
      ES512: pemOf(keys.ES512.privateKey),
      RS256: pemOf(keys.RS256.privateKey),
    },
    addUser(name, password) {
      const user: OktaUser = {
        id: newId(),
        status: 'ACTIVE',
        passwordChanged: '2020-01-01T00:00:00.000Z',
        profile: {
          login: `${name}@example.com`,
          email: `mail-${name}@example.com`,
          title: 'left alone',
        },
        credentials: { password: {}, provider: { type: 'OKTA', name: 'OKTA' } },
      };
      users.set(user.id, user);
      passwords.set(user.id, password);
      return user;
    },
    tokensOf(id) {
      owner = id;
    },
    expireTokens() {
      tokens = new Set();
    },
    tokensGiven: () => given,
  };
}

const complexity = { minLength: 8, minLowerCase: 1, minUpperCase: 1, minNumber: 1, minSymbol: 0 };
const password = { complexity, age: { minAgeMinutes: 60, historyCount: 4 } };

const policies = [
  {
    name: 'Default Policy',
    status: 'ACTIVE',
    conditions: { authProvider: { provider: 'OKTA' } },
    settings: { password },
  },
  {
    name: 'Active Directory Policy',
    status: 'ACTIVE',
    conditions: { authProvider: { provider: 'ACTIVE_DIRECTORY' } },
    settings: { password },
  },
  { name: 'Switched off', status: 'INACTIVE', settings: { password } },
];
