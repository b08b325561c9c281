import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { filterOf } from './filter';
import { type Answer, type Route, startVendor, type VendorServer } from './vendor';

/** A user of a SCIM server, and its password, which the server never returns. */
export interface ScimUser {
  readonly schemas: readonly string[];
  readonly id: string | number;
  userName: string;
  readonly externalId: string;
  active: boolean;
  readonly emails: readonly object[];
  readonly meta: object;
}

export interface ScimVendor extends VendorServer {
  readonly users: Map<string, ScimUser>;
  readonly passwords: Map<string, string>;
  addUser(userName: string, password: string, id?: ScimUser['id']): ScimUser;
  /** Sets the user to whom the tokens belong. Null if they belong to none. */
  tokensOf(id: string | null): void;
  /** Sets the features that /ServiceProviderConfig reports from now on. */
  supports(features: Readonly<Record<string, boolean>>): void;
}

export const SCIM_TOKEN = 'scim-token-that-may-write';
export const SCIM_READER = 'scim-token-that-may-read';

const TYPE = 'application/scim+json';
const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';

const patchOf = (operation: z.ZodType) =>
  z.strictObject({
    schemas: z.tuple([z.literal('urn:ietf:params:scim:api:messages:2.0:PatchOp')]),
    Operations: z.tuple([operation]),
  });

/** The two documented forms of PATCH: that of RFC 7644 §3.5.2.3, and that of Okta's SCIM reference. */
const operations = {
  path: z.strictObject({
    op: z.literal('replace'),
    path: z.literal('password'),
    value: z.string().min(1),
  }),
  value: z.strictObject({
    op: z.literal('replace'),
    value: z.strictObject({ password: z.string().min(1) }),
  }),
};

const error = (status: number, scimType?: string, detail = 'No.'): Answer => ({
  status,
  headers: { 'content-type': TYPE },
  json: {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
    status: String(status),
    ...(scimType && { scimType }),
    detail,
  },
});

/**
 * Starts a SCIM server.
 * @param form the only form of PATCH that it accepts
 * @param ids whether its ids are UUIDs, or numbers that may be used again
 */
export async function startScimVendor(
  form: 'path' | 'value',
  ids: 'uuid' | 'number' = 'uuid',
): Promise<ScimVendor> {
  const users = new Map<string, ScimUser>();
  const passwords = new Map<string, string>();
  let owner: string | null = null;
  let count = 0;
  let features: Readonly<Record<string, boolean>> = {};
  const ok = (json: unknown): Answer => ({ status: 200, headers: { 'content-type': TYPE }, json });

  const signedIn =
    (answer: Route['answer'], ...tokens: string[]): Route['answer'] =>
    (request, ...parameters) => {
      const token = request.headers.authorization?.slice('Bearer '.length) ?? '';
      if (![SCIM_TOKEN, SCIM_READER].includes(token)) return error(401);
      if (!tokens.includes(token)) return error(403);
      return answer(request, ...parameters);
    };
  const anybody = (answer: Route['answer']) => signedIn(answer, SCIM_TOKEN, SCIM_READER);
  const writer = (answer: Route['answer']) => signedIn(answer, SCIM_TOKEN);

  const common = { authorization: /^Bearer \S+$/, accept: TYPE };
  const routes: Route[] = [
    {
      ...common,
      method: 'GET',
      path: /^\/scim\/v2\/ServiceProviderConfig$/,
      answer: anybody(() =>
        ok(
          Object.fromEntries(
            ['patch', 'filter', 'changePassword'].map((name) => [
              name,
              { supported: features[name] ?? true },
            ]),
          ),
        ),
      ),
    },
    {
      ...common,
      method: 'GET',
      path: /^\/scim\/v2\/Me$/,
      answer: anybody(() => {
        const user = users.get(owner ?? '');
        return user === undefined ? error(501) : ok(user);
      }),
    },
    {
      ...common,
      method: 'GET',
      path: /^\/scim\/v2\/Users$/,
      query: z.union([
        z.strictObject({ filter: z.string(), count: z.string().regex(/^\d+$/) }),
        z.strictObject({
          startIndex: z.string().regex(/^[1-9]\d*$/),
          count: z.string().regex(/^\d+$/),
        }),
      ]),
      answer: anybody(({ query }) => {
        const all = [...users.values()].filter(filterOf(query.get('filter'), valuesAt));
        const start = Number(query.get('startIndex') ?? 1);
        const Resources = all.slice(start - 1, start - 1 + Number(query.get('count')));
        return ok({
          schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
          totalResults: all.length,
          startIndex: start,
          itemsPerPage: Resources.length,
          Resources,
        });
      }),
    },
    {
      ...common,
      method: 'GET',
      path: /^\/scim\/v2\/Users\/([^/]+)$/,
      answer: anybody((_request, id = '') => {
        const user = users.get(id);
        return user === undefined ? error(404, undefined, `No user ${id}`) : ok(user);
      }),
    },
    {
      ...common,
      method: 'PATCH',
      path: /^\/scim\/v2\/Users\/([^/]+)$/,
      content: { type: TYPE, shape: patchOf(operations[form]) },
      writes: true,
      answer: writer(({ body }, id = '') => {
        const user = users.get(id);
        if (user === undefined) return error(404, undefined, `No user ${id}`);
        const { Operations } = body as { Operations: [{ value: string | { password: string } }] };
        const [{ value }] = Operations;
        const password = typeof value === 'string' ? value : value.password;
        // Servers that repeat the value in an error message are common.
        if ([...password].length < 8) return error(400, 'invalidValue', `${password} is too short`);
        passwords.set(id, password);
        return ok(user);
      }),
    },
  ];
  const server = await startVendor(routes);
  return {
    ...server,
    users,
    passwords,
    addUser(userName, password, id = ids === 'uuid' ? randomUUID() : ++count) {
      const user: ScimUser = {
        schemas: [USER],
        id,
        userName,
        externalId: `external-${userName}`,
        active: true,
        emails: [
          { value: `second-${userName}@example.com` },
          { value: `${userName}@example.com`, primary: true },
        ],
        meta: { resourceType: 'User' },
      };
      users.set(String(id), user);
      passwords.set(String(id), password);
      return user;
    },
    tokensOf(id) {
      owner = id;
    },
    supports(supported) {
      features = supported;
    },
  };
}

/** The values at a path such as `userName` or `emails.value`. */
function valuesAt(user: ScimUser, path: string): unknown[] {
  const [name = '', part] = path.split('.');
  const held = [(user as unknown as Record<string, unknown>)[name]].flat();
  return held.map((one) => (part === undefined ? one : (one as Record<string, unknown>)[part]));
}
