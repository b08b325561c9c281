import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type Answer, type Route, startVendor, type VendorServer } from './vendor';

export interface EntraUser {
  readonly id: string;
  userPrincipalName: string;
  readonly mail: string;
  readonly employeeId: string;
  accountEnabled: boolean;
  externalUserState: string | null;
  lastPasswordChangeDateTime: string;
  onPremisesSyncEnabled: boolean | null;
  /** Graph does not show this. */
  mustChange: boolean;
}

export interface EntraVendor extends VendorServer {
  readonly users: Map<string, EntraUser>;
  readonly passwords: Map<string, string>;
  readonly clientSecret: string;
  addUser(name: string, password: string): EntraUser;
}

export const TENANT = 'contoso.onmicrosoft.com';
/** App registrations: one with every permission, one without the permission for passwords, one without that for domains. */
export const APP = 'app-with-all-permissions';
export const READER = 'app-that-may-read';
export const NO_DOMAINS = 'app-that-sees-no-domains';
export const FEDERATED = 'federated.example.com';

const error = (status: number, code: string, message = 'No.'): Answer => ({
  status,
  json: { error: { code, message, innerError: { 'request-id': randomUUID() } } },
});

export async function startEntraVendor(): Promise<EntraVendor> {
  const users = new Map<string, EntraUser>();
  const passwords = new Map<string, string>();
  const clientSecret = `${randomBytes(9).toString('hex')}~+/&=`;
  const tokens = new Map<string, string>();
  let origin = '';

  const signedIn =
    (answer: Route['answer'], ...apps: string[]): Route['answer'] =>
    (request, ...parameters) => {
      const app = tokens.get(request.headers.authorization?.slice('Bearer '.length) ?? '');
      if (app === undefined) return error(401, 'InvalidAuthenticationToken');
      if (!apps.includes(app)) return error(403, 'Authorization_RequestDenied');
      return answer(request, ...parameters);
    };
  /** Finds a user by id or by userPrincipalName. */
  const userOf = (key: string) =>
    users.get(key) ??
    [...users.values()].find((user) => user.userPrincipalName.toLowerCase() === key.toLowerCase());

  const common = { authorization: /^Bearer \S+$/, accept: 'application/json' };
  const number = z.string().regex(/^[1-9]\d{0,2}$/);
  const $select = z.string().regex(/^\w+(,\w+)*$/);
  const chosen = (user: EntraUser, query: URLSearchParams) =>
    Object.fromEntries(
      (query.get('$select') ?? '').split(',').map((name) => [name, user[name as keyof EntraUser]]),
    );
  const routes: Route[] = [
    {
      method: 'POST',
      path: new RegExp(`^/${TENANT}/oauth2/v2.0/token$`),
      accept: 'application/json',
      content: {
        type: 'application/x-www-form-urlencoded',
        shape: z.strictObject({
          grant_type: z.literal('client_credentials'),
          client_id: z.string(),
          client_secret: z.string(),
          scope: z.string().regex(/^https:\/\/localhost:\d+\/\.default$/),
        }),
      },
      answer({ body }) {
        const { client_id: app, client_secret: secret } = body as Record<string, string>;
        if (secret !== clientSecret)
          return { status: 401, json: { error: 'invalid_client', error_codes: [7000215] } };
        const token = randomBytes(16).toString('hex');
        tokens.set(token, app ?? '');
        return {
          status: 200,
          json: { token_type: 'Bearer', expires_in: 3599, access_token: token },
        };
      },
    },
    {
      ...common,
      method: 'GET',
      path: /^\/v1\.0\/users$/,
      query: z.union([
        z.strictObject({ $select, $filter: z.string(), $top: number }),
        z.strictObject({ $select, $top: number, $skiptoken: z.string().optional() }),
      ]),
      answer: signedIn(
        ({ query }) => {
          const all = [...users.values()].filter(odataFilter(query.get('$filter')));
          const start = Number(query.get('$skiptoken')?.slice('at-'.length) ?? 0);
          const end = start + Number(query.get('$top'));
          const next = new URLSearchParams({
            $top: query.get('$top') ?? '',
            $skiptoken: `at-${end}`,
          });
          return {
            status: 200,
            json: {
              value: all.slice(start, end).map((user) => chosen(user, query)),
              ...(end < all.length && { '@odata.nextLink': `${origin}/v1.0/users?${next}` }),
            },
          };
        },
        APP,
        READER,
        NO_DOMAINS,
      ),
    },
    {
      ...common,
      method: 'GET',
      path: /^\/v1\.0\/users\/([^/]+)$/,
      query: z.strictObject({ $select }),
      answer: signedIn(
        ({ query }, key = '') => {
          const user = userOf(key);
          if (user === undefined)
            return error(404, 'Request_ResourceNotFound', `Resource '${key}' does not exist`);
          return { status: 200, json: chosen(user, query) };
        },
        APP,
        READER,
        NO_DOMAINS,
      ),
    },
    {
      ...common,
      method: 'PATCH',
      path: /^\/v1\.0\/users\/([^/]+)$/,
      content: {
        type: 'application/json',
        shape: z.strictObject({
          passwordProfile: z.union([
            z.strictObject({
              password: z.string().min(1),
              forceChangePasswordNextSignIn: z.literal(false),
            }),
            z.strictObject({ forceChangePasswordNextSignIn: z.literal(true) }),
          ]),
        }),
      },
      writes: true,
      answer: signedIn(
        ({ body }, key = '') => {
          const user = userOf(key);
          if (user === undefined) return error(404, 'Request_ResourceNotFound');
          const { password } = (body as { passwordProfile: { password?: string } }).passwordProfile;
          if (user.onPremisesSyncEnabled) return error(400, 'Request_BadRequest', ON_PREMISES);
          user.mustChange = password === undefined;
          if (password === undefined) return { status: 204 };
          if (password.length < 8)
            return error(400, 'Request_BadRequest', `${WEAK} You gave ${password}.`);
          passwords.set(user.id, password);
          user.lastPasswordChangeDateTime = new Date().toISOString();
          return { status: 204 };
        },
        APP,
        NO_DOMAINS,
      ),
    },
    {
      ...common,
      method: 'GET',
      path: /^\/v1\.0\/domains$/,
      query: z.strictObject({ $select: z.literal('id,authenticationType') }),
      answer: signedIn(
        () => ({
          status: 200,
          json: {
            value: [
              { id: 'example.com', authenticationType: 'Managed' },
              { id: FEDERATED, authenticationType: 'Federated' },
            ],
          },
        }),
        APP,
        READER,
      ),
    },
  ];
  const server = await startVendor(routes);
  origin = `https://localhost:${server.address.port}`;
  return {
    ...server,
    users,
    passwords,
    clientSecret,
    addUser(name, password) {
      const user: EntraUser = {
        id: randomUUID(),
        userPrincipalName: `${name}@example.com`,
        mail: `mail-${name}@example.com`,
        employeeId: `number of ${name}`,
        accountEnabled: true,
        externalUserState: null,
        lastPasswordChangeDateTime: '2020-01-01T00:00:00Z',
        onPremisesSyncEnabled: null,
        mustChange: false,
      };
      users.set(user.id, user);
      passwords.set(user.id, password);
      return user;
    },
  };
}

const WEAK =
  'The specified password does not comply with password complexity requirements. Please provide a different password.';
const ON_PREMISES =
  'Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.';

/** Parses a filter of the form `property eq 'value' and …`, which ignores case. */
function odataFilter(filter: string | null): (user: EntraUser) => boolean {
  if (filter === null) return () => true;
  const terms = filter.split(/ and (?=\w+ eq ')/).map((term) => {
    const [, name = '', text = ''] = /^(\w+) eq '((?:[^']|'')*)'$/s.exec(term) ?? [];
    return { name, value: text.replaceAll("''", "'").toLowerCase() };
  });
  return (user) =>
    terms.every(
      ({ name, value }) => String(user[name as keyof EntraUser] ?? '\0').toLowerCase() === value,
    );
}
