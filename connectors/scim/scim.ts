import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Secret } from '../../model/passwords/secret';
import type { AccountRef, Connector, ConnectorTools, Finding, FoundAccount } from '../contract';
import { accepted, type Classify, shaped, type Verdict } from '../http/answers';
import { type Api, type ApiRequest, apiOf } from '../http/api';
import type { Json } from '../http/body';
import { ok, skipped, wrong } from '../http/checks';
import { type HttpReply, openHttp } from '../http/client';
import { connectorOver } from '../http/connector';
import { fixedToken } from '../http/credentials';
import { matches, scimFilter } from '../http/filter';
import { NO_ACCOUNT, type PreparedWrite } from '../http/write';
import type { ScimSettings } from './settings';
import { idOf, type User, userShape, valuesAt } from './users';

export function openScim(settings: ScimSettings, tools: ConnectorTools): Connector {
  const http = openHttp(settings.url, settings);
  const api = apiOf(http, fixedToken('Bearer', settings.token, tools), TYPE);
  const names = [...new Set([USER_NAME, ...settings.attributes])];
  const found = foundWith(names);
  const idFor = async (account: AccountRef, signal: AbortSignal) =>
    account.nativeId ?? (await search(api, { [USER_NAME]: account.name }, 2, signal)).map(idOf)[0];
  return connectorOver({
    api,
    attributes: names,
    find: async (match, limit, signal) => (await search(api, match, limit, signal)).map(found),
    async page(cursor, pageSize, signal) {
      const startIndex = Number(cursor ?? 1);
      const query = { startIndex: String(startIndex), count: String(pageSize) };
      const { totalResults, Resources } = await listed(api, query, signal);
      const next = startIndex + Resources.length;
      const more = Resources.length > 0 && next <= totalResults;
      return { accounts: Resources.map(found), cursor: more ? String(next) : null };
    },
    async state(account, signal) {
      const id = await idFor(account, signal);
      const reply = id && (await api.ask({ method: 'GET', path: pathOf(id) }, signal));
      if (!reply || reply.status === 404) return null;
      const { active } = shaped(userShape, accepted(reply, classify));
      // SCIM has neither locks nor forced changes.
      const rest = { locked: false, mustChange: false, passwordChangedAt: null };
      return { disabled: active === false, ...rest };
    },
    async prepare({ account }, signal) {
      const id = await idFor(account, signal);
      return id === undefined ? NO_ACCOUNT : patchOf(settings, id);
    },
    classifyWrite: classify,
    verify: null,
    check: (signal) => checkProvider(api, signal),
    writeToNoAccount: () => patchOf(settings, randomUUID()),
    close: () => http.close(),
  });
}

const TYPE = 'application/scim+json';
const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const USER_NAME = 'userName';

const pathOf = (id: string) => `/Users/${encodeURIComponent(id)}`;

function patchOf({ write }: ScimSettings, id: string): PreparedWrite {
  const operation = (password: Secret): Readonly<Record<string, Json>> =>
    write === 'path' ? { path: 'password', value: password } : { value: { password } };
  return {
    request: (password): ApiRequest => ({
      method: 'PATCH',
      path: pathOf(id),
      content: {
        type: TYPE,
        value: { schemas: [PATCH_OP], Operations: [{ op: 'replace', ...operation(password) }] },
      },
    }),
    // A reply without a body (204) does not contain the name.
    nameIn: ({ json }) => userShape.safeParse(json).data?.userName ?? null,
  };
}

const listShape = z.looseObject({
  totalResults: z.number(),
  Resources: z.array(userShape).default([]),
});

async function listed(api: Api, query: Record<string, string>, signal: AbortSignal) {
  const path = `/Users?${new URLSearchParams(query)}`;
  return shaped(listShape, accepted(await api.ask({ method: 'GET', path }, signal), classify));
}

async function search(
  api: Api,
  match: Readonly<Record<string, string>>,
  limit: number,
  signal: AbortSignal,
): Promise<User[]> {
  const query = { filter: scimFilter(match), count: String(limit) };
  const { Resources } = await listed(api, query, signal);
  const fits = (user: User) => matches(match, (name) => valuesAt(user, name));
  return Resources.filter(fits).slice(0, limit);
}

const foundWith =
  (names: readonly string[]) =>
  (user: User): FoundAccount => ({
    name: user.userName,
    nativeId: user.id,
    attributes: Object.fromEntries(
      names.flatMap((name) =>
        valuesAt(user, name)
          .slice(0, 1)
          .map((value) => [name, value]),
      ),
    ),
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

const classify: Classify = ({ status, json }: HttpReply) => {
  if (status === 405 || status === 501)
    return { reason: 'not_supported', vendorCode: String(status) };
  const { scimType } = (json ?? {}) as { scimType?: unknown };
  const match = Object.entries(types).find(([type]) => type === scimType);
  return match === undefined ? null : { reason: match[1], vendorCode: `${status}/${match[0]}` };
};

const supported = z.looseObject({ supported: z.boolean() });
const providerShape = z.looseObject({
  patch: supported,
  filter: supported,
  changePassword: supported,
});

/** Checks the features that the server advertises in its ServiceProviderConfig (RFC 7643 §5). */
async function checkProvider(api: Api, signal: AbortSignal): Promise<readonly Finding[]> {
  const reply = await api.ask({ method: 'GET', path: '/ServiceProviderConfig' }, signal);
  const provider = providerShape.safeParse(reply.json).data;
  if (provider === undefined)
    return [
      skipped('provider', 'The server has no ServiceProviderConfig that shows what it supports.'),
    ];
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
