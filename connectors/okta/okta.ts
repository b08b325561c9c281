import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Connector, ConnectorTools, Finding, WriteAnswer } from '../contract';
import { actFailure } from '../http/act';
import { type Api, apiOf } from '../http/api';
import { ok, skipped } from '../http/checks';
import { openHttp } from '../http/client';
import { connectorOver } from '../http/connector';
import { anonymous } from '../http/credentials';
import { json } from '../http/success';
import type { ActFailure } from '../http/vendor';
import type { PreparedWrite } from '../http/write';
import { classify } from './errors';
import { readPolicies } from './policies';
import type { OktaSettings } from './settings';
import { signIn } from './sign-in';
import {
  foundWith,
  hasOwnPassword,
  page,
  pathOf,
  refOf,
  search,
  stateOf,
  type User,
  usersOf,
  userWith,
} from './users';
import { verifyByLogin } from './verify';

export function openOkta(settings: OktaSettings, tools: ConnectorTools): Connector {
  const http = openHttp(settings.url, settings);
  const api = apiOf(http, signIn(http, settings, tools), JSON_TYPE, classify);
  const anonymousApi = apiOf(http, anonymous, JSON_TYPE, classify);
  const { attributes, strict, proof } = settings;
  const found = foundWith(attributes);
  return connectorOver({
    api,
    ...usersOf(api),
    attributes: ['login', ...attributes],
    find: async (match, limit, signal) => (await search(api, match, limit, signal)).map(found),
    page: (after, pageSize, signal) => page(api, after, pageSize, found, signal),
    state: stateOf,
    prepare: (user) => prepare(api, user, strict),
    actions: {
      unlock: (user, signal) => unlock(api, user, signal),
      'force-change': (user, signal) => forceChange(api, user, signal),
    },
    verify:
      proof === 'none'
        ? null
        : (user, { password }, signal) => verifyByLogin(anonymousApi, user, password, signal),
    check: (signal) => checkPolicies(api, strict, signal),
    writeToNoAccount: () => writeTo(`00u${randomBytes(9).toString('hex').slice(0, 17)}`, strict),
    policies: (signal) => readPolicies(api, strict, signal),
    close: () => http.close(),
  });
}

const JSON_TYPE = 'application/json';

function prepare(api: Api, user: User, strict: boolean): PreparedWrite<User> | WriteAnswer {
  const vendorCode = user.status;
  if (!hasOwnPassword(user))
    return {
      result: 'rejected',
      reason: 'no_own_password',
      vendorCode: user.credentials?.provider?.type ?? null,
    };
  const { locked, mustChange } = stateOf(user);
  // Okta rejects a write to a locked user, and a write must not unlock.
  if (locked) return { result: 'retry', reason: 'account_locked', vendorCode };
  const write = writeTo(user.id, strict);
  return mustChange ? { ...write, restore: (after) => expire(api, user.id, after) } : write;
}

/** POST changes only the members that it names. PUT would clear all others. */
const writeTo = (id: string, strict: boolean): PreparedWrite<User> => ({
  request: (password) => ({
    method: 'POST',
    path: `${pathOf(id)}${strict ? '?strict=true' : ''}`,
    content: { type: JSON_TYPE, value: { credentials: { password: { value: password } } } },
    success: { 200: json(userWith(id).transform((user) => ({ account: refOf(user), user }))) },
  }),
});

/** Expires the password, which forces a change. The password stays the same. */
async function expire(api: Api, id: string, signal: AbortSignal): Promise<boolean> {
  const path = `${pathOf(id)}/lifecycle/expire_password`;
  await api.ask({ method: 'POST', path, success: { 200: json(userWith(id)) } }, signal);
  return true;
}

async function unlock(api: Api, { id }: User, signal: AbortSignal): Promise<null> {
  const path = `${pathOf(id)}/lifecycle/unlock`;
  await api.ask({ method: 'POST', path, success: { 200: json(z.looseObject({})) } }, signal);
  return null;
}

async function forceChange(api: Api, user: User, signal: AbortSignal): Promise<ActFailure | null> {
  if (!hasOwnPassword(user)) return actFailure('no_own_password');
  // Okta expires the password of an active user only.
  if (stateOf(user).locked) return actFailure('account_locked', user.status);
  await expire(api, user.id, signal);
  return null;
}

async function checkPolicies(
  api: Api,
  strict: boolean,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const read = await readPolicies(api, strict, signal);
  const policies = read.result === 'policies' ? read.policies : [];
  if (policies.length === 0)
    return [
      skipped(
        'policy',
        'The service account can read no password policy. Give the service app the scope okta.policies.read.',
      ),
    ];
  return policies.map(({ name, minLength, history }) =>
    ok(
      'policy',
      `${name}: ${minLength} characters or more${strict ? `, history ${history}` : '; Okta does not apply history and minimum age to Lockstep'}.`,
    ),
  );
}
