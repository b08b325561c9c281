import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Secret } from '../../model/passwords/secret';
import { hasValues } from '../../model/people/naming';
import { attributesAt } from '../attributes';
import type { AccountRef, Connector, ConnectorTools, Finding, FoundAccount } from '../contract';
import { type Classify, HttpRefused, nullIf, type Verdict } from '../http/answers';
import { type Api, apiOf } from '../http/api';
import type { Json } from '../http/body';
import { ok, skipped, wrong } from '../http/checks';
import { type HttpReply, openHttp } from '../http/client';
import { connectorOver } from '../http/connector';
import { fixedToken } from '../http/credentials';
import { scimFilter } from '../http/filter';
import { ownIdBy } from '../http/linked-user';
import { type Raw, rawUsers, readable, readableMatches } from '../http/lists';
import { json, noBody, SCIM_ERROR } from '../http/success';
import type { PreparedWrite } from '../http/write';
import { naming } from './naming';
import type { ScimSettings } from './settings';
import { listedShape, refOf, type User, userShape, userWith, valuesAt, writtenUser } from './users';

export function openScim(settings: ScimSettings, tools: ConnectorTools): Connector {
  const http = openHttp(settings.url, settings);
  const api = apiOf(http, fixedToken('Bearer', settings.token, tools), TYPE, classify);
  const names = [...new Set([USER_NAME, ...settings.attributes])];
  const found = foundWith(names);
  return connectorOver({
    api,
    naming,
    refOf,
    byId: (id, signal) =>
      nullIf(
        'no_account',
        api.ask({ method: 'GET', path: pathOf(id), success: { 200: json(userWith(id)) } }, signal),
      ),
    byName: (name, signal) => search(api, userShape, { [USER_NAME]: name }, 2, signal),
    ownId: ownIdBy(async (signal) => {
      const own = await api.ask(
        { method: 'GET', path: '/Me', success: { 200: json(userShape) } },
        signal,
      );
      return own.id;
    }),
    attributes: names,
    find: async (match, limit, signal) =>
      (await search(api, listedShape, match, limit, signal)).map(found),
    async page(cursor, pageSize, signal) {
      const startIndex = Number(cursor ?? 1);
      const query = { startIndex: String(startIndex), count: String(pageSize) };
      const { totalResults, Resources } = await listed(api, query, startIndex, signal);
      const next = startIndex + Resources.length;
      const more = Resources.length > 0 && next <= totalResults;
      const { users, malformed } = readable(listedShape, Resources);
      return { accounts: users.map(found), malformed, cursor: more ? String(next) : null };
    },
    // SCIM has neither locks nor forced changes.
    state: ({ active }) => ({
      disabled: active === false,
      ...{ locked: false, mustChange: false, passwordChangedAt: null },
    }),
    prepare: (user) => patchOf(settings, user.id, refOf(user)),
    prepareById: (id) => patchOf(settings, id, null),
    verify: null,
    check: (signal) => checkProvider(api, signal),
    writeToNoAccount: () => patchOf(settings, randomUUID(), null),
    close: () => http.close(),
  });
}

const TYPE = 'application/scim+json';
const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const USER_NAME = 'userName';

const pathOf = (id: string) => `/Users/${encodeURIComponent(id)}`;

function patchOf(
  { write }: ScimSettings,
  id: string,
  account: AccountRef | null,
): PreparedWrite<User> {
  const operation = (password: Secret): Readonly<Record<string, Json>> =>
    write === 'path' ? { path: 'password', value: password } : { value: { password } };
  return {
    request: (password) => ({
      method: 'PATCH',
      path: pathOf(id),
      content: {
        type: TYPE,
        value: { schemas: [PATCH_OP], Operations: [{ op: 'replace', ...operation(password) }] },
      },
      // RFC 7644 §3.5.2: the whole user, or nothing.
      success: { 200: json(writtenUser(id, account)), 204: noBody({ account, user: null }) },
    }),
  };
}

/**
 * A ListResponse (RFC 7644 §3.4.2). Some servers write the total as text. `Resources` may be missing, null or empty only
 * if no user is left to list: else the end of the list is lost.
 */
const listShape = (startIndex: number) =>
  z
    .looseObject({
      totalResults: z.union([
        z.int().min(0),
        z
          .string()
          .regex(/^\d{1,15}$/)
          .transform(Number),
      ]),
      Resources: rawUsers.nullish(),
    })
    .refine(
      ({ totalResults, Resources }) => (Resources ?? []).length > 0 || totalResults < startIndex,
    )
    .transform(({ totalResults, Resources }) => ({ totalResults, Resources: Resources ?? [] }));

function listed(api: Api, query: Record<string, string>, startIndex: number, signal: AbortSignal) {
  const path = `/Users?${new URLSearchParams(query)}`;
  return api.ask({ method: 'GET', path, success: { 200: json(listShape(startIndex)) } }, signal);
}

async function search<T extends Raw>(
  api: Api,
  shape: z.ZodType<T>,
  match: Readonly<Record<string, string>>,
  limit: number,
  signal: AbortSignal,
): Promise<readonly T[]> {
  const query = { filter: scimFilter(match), count: String(limit) };
  const { Resources: users, totalResults } = await listed(api, query, 1, signal);
  const found = { users, isPart: users.length < totalResults };
  const fits = (user: Raw) => hasValues(naming, match, (name) => valuesAt(user, name));
  return readableMatches(shape, found, fits, limit);
}

const foundWith =
  (names: readonly string[]) =>
  (user: z.infer<typeof listedShape>): FoundAccount => ({
    ...refOf(user),
    attributes: attributesAt(names, (name) => valuesAt(user, name)),
  });

/** Meanings of `scimType` in an error (RFC 7644 §3.12), for those that our requests can cause. */
const types: Readonly<Record<string, Verdict['reason']>> = {
  invalidFilter: 'not_supported',
  invalidPath: 'not_supported',
  invalidSyntax: 'not_supported',
  invalidValue: 'policy',
  mutability: 'not_supported',
  noTarget: 'not_supported',
  tooMany: 'busy',
};

/** An Error (RFC 7644 §3.12). Some servers leave out `schemas`, and some write the status as a number. */
const errorShape = z.union([
  z.looseObject({ schemas: z.array(z.string()).refine((urns) => urns.includes(SCIM_ERROR)) }),
  z.looseObject({ status: z.union([z.string(), z.number()]), detail: z.string() }),
]);

const classify: Classify = ({ status, json }: HttpReply) => {
  const error = errorShape.safeParse(json).data;
  if (error === undefined) return null;
  if (status === 405 || status === 501)
    return { reason: 'not_supported', vendorCode: String(status) };
  const match = Object.entries(types).find(([type]) => type === error.scimType);
  return match === undefined ? 'other' : { reason: match[1], vendorCode: `${status}/${match[0]}` };
};

const supported = z.looseObject({ supported: z.boolean() });
const providerShape = z.looseObject({
  patch: supported,
  filter: supported,
  changePassword: supported,
});

/** Checks the features that the server advertises in its ServiceProviderConfig (RFC 7643 §5). */
async function checkProvider(api: Api, signal: AbortSignal): Promise<readonly Finding[]> {
  const success = { 200: json(providerShape) };
  let provider: z.infer<typeof providerShape>;
  try {
    provider = await api.ask({ method: 'GET', path: '/ServiceProviderConfig', success }, signal);
  } catch (error) {
    if (!(error instanceof HttpRefused)) throw error;
    const code = error.failure.vendorCode;
    return [
      skipped(
        'provider',
        `The server has no ServiceProviderConfig that shows what it supports (${code}).`,
      ),
    ];
  }
  const missing = (['patch', 'filter', 'changePassword'] as const).filter(
    (feature) => !provider[feature].supported,
  );
  if (missing.length === 0)
    return [
      ok(
        'provider',
        'The server supports patch, filter and changePassword, by its ServiceProviderConfig.',
      ),
    ];
  return [
    wrong(
      'provider',
      `The server does not support ${missing.join(', ')}, by its ServiceProviderConfig. Enable that in the server.`,
    ),
  ];
}
