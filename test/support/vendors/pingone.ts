import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { filterOf } from './filter';
import { type Answer, type Route, startVendor, type VendorServer } from './vendor';

export interface PingOneUser {
  readonly id: string;
  username: string;
  readonly email: string;
  readonly name: { readonly family: string };
  enabled: boolean;
  account: { readonly canAuthenticate: boolean; status: 'OK' | 'LOCKED' };
  identityProvider?: { readonly id?: string; type: string };
}

export interface PingOnePassword {
  value: string;
  status: string;
  lastChangedAt: string;
  secondsUntilUnlock?: number;
  failures: number;
  readonly history: string[];
}

export interface PingOneVendor extends VendorServer {
  readonly users: Map<string, PingOneUser>;
  readonly passwords: Map<string, PingOnePassword>;
  readonly clientSecret: string;
  addUser(name: string, password: string): PingOneUser;
  expireTokens(): void;
  tokensGiven(): number;
}

export const ENVIRONMENT = 'abfba8f6-49eb-49f5-a5d9-80ad5c98f9f6';
/** Worker applications: one with the role Identity Data Admin, one that may only read. */
export const WORKER = 'worker-application';
export const READER = 'reader-application';

const error = (status: number, code: string, ...details: object[]): Answer => ({
  status,
  json: { id: randomUUID(), code, message: 'No.', ...(details.length > 0 && { details }) },
});

const brokenRule = (rule: string, password: string) =>
  error(400, 'INVALID_DATA', {
    code: 'INVALID_VALUE',
    target: 'password',
    message: `User password ${password} did not satisfy password policy requirements`,
    innerError: { unsatisfiedRequirements: [rule] },
  });

const MAX_FAILURES = 5;

/** A hash that PingOne stores unchanged and without policy checks. */
const PRE_ENCODED = /^\{SSHA(256|384|512)?\}/;

function brokenBy(value: string, password: PingOnePassword): string | null {
  if (value.length < 8) return 'length';
  if (value === 'commonplace') return 'excludesCommonlyUsed';
  // PingOne does not document the name of this rule.
  if (value === password.value) return 'current';
  return password.history.includes(value) ? 'history' : null;
}

/** Whether a login with the password succeeds. The digests are not computed by the code under test. */
export function isPassword({ value }: PingOnePassword, text: string): boolean {
  const [prefix, bits] = PRE_ENCODED.exec(value) ?? [];
  if (prefix === undefined) return value === text;
  const [name, length] = bits === undefined ? ['sha1', 20] : [`sha${bits}`, Number(bits) / 8];
  const stored = Buffer.from(value.slice(prefix.length), 'base64');
  const salt = stored.subarray(length);
  const digest = createHash(name).update(text).update(salt).digest();
  return digest.equals(stored.subarray(0, length));
}

export async function startPingOneVendor(): Promise<PingOneVendor> {
  const users = new Map<string, PingOneUser>();
  const passwords = new Map<string, PingOnePassword>();
  // Has characters that must be form-encoded and then encoded again.
  const clientSecret = `${randomBytes(9).toString('hex')}:+/%~`;
  let tokens = new Map<string, string>();
  let given = 0;
  let origin = '';

  const signedIn =
    (answer: Route['answer'], ...clients: string[]): Route['answer'] =>
    (request, ...parameters) => {
      const token = request.headers.authorization?.slice('Bearer '.length) ?? '';
      const client = tokens.get(token);
      if (client === undefined) return error(401, 'ACCESS_FAILED');
      return clients.includes(client)
        ? answer(request, ...parameters)
        : error(403, 'ACCESS_FAILED');
    };
  const anybody = (answer: Route['answer']) => signedIn(answer, WORKER, READER);
  const worker = (answer: Route['answer']) => signedIn(answer, WORKER);
  const withUser =
    (
      answer: (user: PingOneUser, password: PingOnePassword, body: unknown) => Answer,
    ): Route['answer'] =>
    ({ body }, id = '') => {
      const [user, password] = [users.get(id), passwords.get(id)];
      return user && password ? answer(user, password, body) : error(404, 'NOT_FOUND');
    };

  const common = { authorization: /^Bearer \S+$/, accept: 'application/json' };
  const path = (rest: string) => new RegExp(`^/v1/environments/${ENVIRONMENT}${rest}$`);
  const number = z.string().regex(/^([1-9]\d?|100)$/);
  const routes: Route[] = [
    {
      method: 'POST',
      path: new RegExp(`^/${ENVIRONMENT}/as/token$`),
      accept: 'application/json',
      authorization: /^Basic \S+$/,
      content: {
        type: 'application/x-www-form-urlencoded',
        shape: z.strictObject({ grant_type: z.literal('client_credentials') }),
      },
      answer({ headers }) {
        const basic = headers.authorization?.slice('Basic '.length) ?? '';
        const [client = '', secret] = Buffer.from(basic, 'base64')
          .toString()
          .split(':')
          .map(decodeURIComponent);
        if (![WORKER, READER].includes(client) || secret !== clientSecret)
          return { status: 401, json: { error: 'invalid_client', error_description: 'No.' } };
        const token = randomBytes(16).toString('hex');
        tokens.set(token, client);
        given++;
        return {
          status: 200,
          json: { access_token: token, token_type: 'Bearer', expires_in: 3600 },
        };
      },
    },
    {
      ...common,
      method: 'GET',
      path: path('/users'),
      query: z.union([
        z.strictObject({ filter: z.string(), limit: number }),
        z.strictObject({ limit: number, cursor: z.string().optional() }),
      ]),
      answer: anybody(({ query }) => {
        const all = [...users.values()].filter(
          filterOf(query.get('filter'), (user, at) => [valueAt(user, at)]),
        );
        const start = Number(query.get('cursor') ?? 0);
        const end = start + Number(query.get('limit'));
        const self = `${origin}/v1/environments/${ENVIRONMENT}/users`;
        const next = { next: { href: `${self}?limit=${query.get('limit')}&cursor=${end}` } };
        return {
          status: 200,
          json: {
            _links: { self: { href: self }, ...(end < all.length && next) },
            _embedded: { users: all.slice(start, end) },
            count: all.length,
            size: Math.min(end, all.length) - start,
          },
        };
      }),
    },
    {
      ...common,
      method: 'GET',
      path: path('/users/([^/]+)'),
      answer: anybody(withUser((user) => ({ status: 200, json: user }))),
    },
    {
      ...common,
      method: 'GET',
      path: path('/users/([^/]+)/password'),
      answer: anybody(
        withUser((user, password) => ({ status: 200, json: stateOf(user, password) })),
      ),
    },
    {
      ...common,
      method: 'PUT',
      path: path('/users/([^/]+)/password'),
      content: {
        type: 'application/vnd.pingidentity.password.set+json',
        shape: z.strictObject({ value: z.string().min(1), forceChange: z.boolean() }),
      },
      writes: true,
      answer: worker(
        withUser((user, password, body) => {
          const { value, forceChange } = body as { value: string; forceChange: boolean };
          const broken = PRE_ENCODED.test(value) ? null : brokenBy(value, password);
          if (broken !== null) return brokenRule(broken, value);
          password.history.push(password.value);
          password.value = value;
          password.status = forceChange ? 'MUST_CHANGE_PASSWORD' : 'OK';
          password.lastChangedAt = new Date().toISOString();
          password.failures = 0;
          return { status: 200, json: stateOf(user, password) };
        }),
      ),
    },
    {
      ...common,
      method: 'POST',
      path: path('/users/([^/]+)/password'),
      content: {
        type: 'application/vnd.pingidentity.password.check+json',
        shape: z.strictObject({ password: z.string().min(1) }),
      },
      answer: worker(
        withUser((user, password, body) => {
          const right = isPassword(password, (body as { password: string }).password);
          const { status } = password;
          if (['NO_PASSWORD', 'PASSWORD_LOCKED_OUT', 'EXTERNAL'].includes(status))
            return error(400, 'REQUEST_FAILED', { code: status });
          if (right) return { status: 200, json: stateOf(user, password) };
          password.failures++;
          return error(400, 'INVALID_DATA', {
            code: 'INVALID_VALUE',
            target: 'password',
            message: 'The provided password did not match provisioned password',
            innerError: { failuresRemaining: MAX_FAILURES - password.failures },
          });
        }),
      ),
    },
    {
      ...common,
      method: 'POST',
      path: path('/users/([^/]+)/password'),
      content: {
        type: 'application/vnd.pingidentity.password.unlock+json',
        shape: z.strictObject({}),
      },
      answer: worker(
        withUser((user, password) => {
          password.status = 'OK';
          delete password.secondsUntilUnlock;
          password.failures = 0;
          return { status: 200, json: stateOf(user, password) };
        }),
      ),
    },
    {
      ...common,
      method: 'POST',
      path: path('/users/([^/]+)/password'),
      content: {
        type: 'application/vnd.pingidentity.password.forceChange',
        shape: z.strictObject({}),
      },
      // An administrative reset unlocks the password.
      answer: worker(
        withUser((user, password) => {
          password.status = 'MUST_CHANGE_PASSWORD';
          return { status: 200, json: stateOf(user, password) };
        }),
      ),
    },
    {
      ...common,
      method: 'GET',
      path: path('/passwordPolicies'),
      answer: worker(() => ({ status: 200, json: { _embedded: { passwordPolicies: policies } } })),
    },
  ];
  const server = await startVendor(routes);
  origin = `https://localhost:${server.address.port}`;
  return {
    ...server,
    users,
    passwords,
    clientSecret,
    addUser(username, value) {
      const user: PingOneUser = {
        id: randomUUID(),
        username,
        email: `${username}@example.com`,
        name: { family: `Family of ${username}` },
        enabled: true,
        account: { canAuthenticate: true, status: 'OK' },
        identityProvider: { type: 'PING_ONE' },
      };
      users.set(user.id, user);
      const lastChangedAt = '2020-01-01T00:00:00.000Z';
      passwords.set(user.id, { value, status: 'OK', lastChangedAt, failures: 0, history: [] });
      return user;
    },
    expireTokens() {
      tokens = new Map();
    },
    tokensGiven: () => given,
  };
}

/** The state of a password, as every request about it returns it. */
const stateOf = (
  { id }: PingOneUser,
  { status, lastChangedAt, secondsUntilUnlock }: PingOnePassword,
) => ({
  environment: { id: ENVIRONMENT },
  user: { id },
  passwordPolicy: { id: randomUUID() },
  status,
  lastChangedAt,
  ...(secondsUntilUnlock !== undefined && { secondsUntilUnlock }),
});

const valueAt = (user: PingOneUser, at: string): unknown =>
  at
    .split('.')
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], user);

const policies = [
  {
    name: 'Standard',
    default: true,
    length: { min: 8, max: 255 },
    minCharacters: { ABCDEFGHIJKLMNOPQRSTUVWXYZ: 1, '0123456789': 2, '~!@#$%^&*()-_=+': 1 },
    maxRepeatedCharacters: 2,
    history: { count: 6, retentionDays: 365 },
    minAgeDays: 1,
    populationCount: 0,
  },
  { name: 'Unused', default: false, populationCount: 0, length: { min: 20, max: 255 } },
];
