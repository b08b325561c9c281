import { randomUUID } from 'node:crypto';
import { obstacleIn } from '../../model/change/sign-in-prevented';
import type { Secret } from '../../model/passwords/secret';
import type {
  Connector,
  ConnectorTools,
  Finding,
  SetPasswordRequest,
  VerifyAnswer,
  VerifyRequest,
  WriteAnswer,
} from '../contract';
import { actFailure } from '../http/act';
import { type Classify, nullIf } from '../http/answers';
import { type Api, apiOf } from '../http/api';
import { FORM_TYPE, formBytes } from '../http/body';
import { ok, skipped } from '../http/checks';
import { openHttp } from '../http/client';
import { connectorOver } from '../http/connector';
import { basic, clientCredentials } from '../http/credentials';
import { json } from '../http/success';
import type { ActFailure } from '../http/vendor';
import type { PreparedWrite } from '../http/write';
import { classify, isWrongPassword, WRONG_PASSWORD } from './errors';
import { readPolicies } from './policies';
import type { PingOneSettings } from './settings';
import {
  hasOwnPassword,
  isLockedOut,
  type Known,
  type Profile,
  refOf,
  setPasswordOf,
  stateOf,
  usersOf,
} from './users';

type Users = ReturnType<typeof usersOf>;

export function openPingOne(settings: PingOneSettings, tools: ConnectorTools): Connector {
  const { environment, clientId, clientSecret, apiUrl, authUrl, attributes } = settings;
  const http = openHttp(apiUrl, settings);
  const auth = openHttp(authUrl, settings);
  const credential = clientCredentials(auth, clientSecret, tools, (secret) => ({
    method: 'POST',
    path: `/${environment}/as/token`,
    headers: {
      accept: JSON_TYPE,
      'content-type': FORM_TYPE,
      authorization: basic(clientId, secret),
    },
    body: formBytes({ grant_type: 'client_credentials' }),
  }));
  const api = apiOf(http, credential, JSON_TYPE, classify);
  const users = usersOf(api, environment, attributes);
  return connectorOver({
    api,
    ...users.lookups,
    attributes: users.names,
    find: users.find,
    page: users.page,
    state: async (known, signal) => stateOf(await users.withPassword(known, signal)),
    prepare: (known, request, signal) => prepare(api, users, known, request, signal),
    actions: {
      unlock: (known, signal) => unlock(api, users, known, signal),
      'force-change': (known, signal) => forceChange(api, users, known, signal),
    },
    verify: (known, request, signal) => verify(api, users, known, request, signal),
    check: (signal) => checkPolicies(api, environment, signal),
    writeToNoAccount: () => writeTo(users, randomUUID(), null, false),
    policies: (signal) => readPolicies(api, environment, signal),
    close() {
      http.close();
      auth.close();
    },
  });
}

const JSON_TYPE = 'application/json';
const SET = 'application/vnd.pingidentity.password.set+json';
const CHECK = 'application/vnd.pingidentity.password.check+json';
const UNLOCK = 'application/vnd.pingidentity.password.unlock+json';
const FORCE_CHANGE = 'application/vnd.pingidentity.password.forceChange';

async function prepare(
  api: Api,
  users: Users,
  known: Known,
  { password: wanted, form }: SetPasswordRequest,
  signal: AbortSignal,
): Promise<PreparedWrite<Known> | WriteAnswer> {
  if (form === 'plaintext' && looksEncoded(wanted))
    return { result: 'rejected', reason: 'character_not_supported', vendorCode: null };
  const user = await users.withPassword(known, signal);
  const { profile, password } = user;
  if (!hasOwnPassword(user))
    return { result: 'rejected', reason: 'no_own_password', vendorCode: password.status };
  // A write by an administrator would unlock the password.
  if (isLockedOut(user)) {
    const seconds = password.secondsUntilUnlock ?? null;
    const wait = seconds === null ? {} : { retryAfterMs: seconds * 1000 };
    return { result: 'retry', reason: 'account_locked', vendorCode: password.status, ...wait };
  }
  const write = writeTo(users, profile.id, profile, stateOf(user).mustChange);
  if (form !== 'plaintext') return write;
  return { ...write, holds: (secret) => isCurrent(api, users, profile.id, secret, signal) };
}

const OPEN = 0x7b;
const CLOSE = 0x7d;

/** Whether PingOne would treat the plaintext as a hash such as "{SSHA}…", and so set another password. */
const looksEncoded = (password: Secret): boolean =>
  password.use((bytes) => bytes[0] === OPEN && bytes.includes(CLOSE));

const writeTo = (
  users: Users,
  id: string,
  profile: Profile | null,
  forceChange: boolean,
): PreparedWrite<Known> => ({
  request: (password) => ({
    method: 'PUT',
    path: users.passwordPath(id),
    content: { type: SET, value: { value: password, forceChange } },
    success: {
      200: json(
        setPasswordOf(id).transform((state) => ({
          account: profile && refOf(profile),
          user: profile && { profile, password: state },
        })),
      ),
    },
  }),
});

/** The refusal of a check, in which the code for an invalid value is about the password of the user. */
const classifyCheck: Classify = (reply) =>
  reply.status === 400 && isWrongPassword(reply.json)
    ? { reason: 'wrong_current_password', vendorCode: WRONG_PASSWORD }
    : classify(reply);

const checkOf = (users: Users, id: string, password: Secret) =>
  ({
    method: 'POST',
    path: users.passwordPath(id),
    content: { type: CHECK, value: { password } },
    success: { 200: json(setPasswordOf(id)) },
    classify: classifyCheck,
  }) as const;

async function isCurrent(
  api: Api,
  users: Users,
  id: string,
  password: Secret,
  signal: AbortSignal,
): Promise<boolean> {
  const request = api.ask(checkOf(users, id, password), signal);
  return (await nullIf('wrong_current_password', request)) !== null;
}

/** Verifies a password by a check. A failed check counts like a failed login, and a locked password gives no answer. */
async function verify(
  api: Api,
  users: Users,
  known: Known,
  { password, form }: VerifyRequest,
  signal: AbortSignal,
): Promise<VerifyAnswer> {
  // PingOne offers no way to compare a hash.
  if (form !== 'plaintext')
    return { result: 'inconclusive', reason: 'not_supported', vendorCode: null };
  const user = await users.withPassword(known, signal);
  const vendorCode = user.password.status;
  if (isLockedOut(user)) return { result: 'inconclusive', reason: 'account_locked', vendorCode };
  if (!hasOwnPassword(user)) return { result: 'inconclusive', reason: 'not_supported', vendorCode };
  if (!(await isCurrent(api, users, user.profile.id, password, signal)))
    return { result: 'differs', vendorCode: WRONG_PASSWORD };
  const signInPrevented = obstacleIn(stateOf(user));
  return { result: 'holds', proof: 'login', ...(signInPrevented && { signInPrevented }) };
}

/** Sends a request about a password that has no members. */
const askOf = (users: Users, id: string, type: string) =>
  ({
    method: 'POST',
    path: users.passwordPath(id),
    content: { type, value: {} },
    success: { 200: json(setPasswordOf(id)) },
  }) as const;

async function unlock(
  api: Api,
  users: Users,
  known: Known,
  signal: AbortSignal,
): Promise<ActFailure | null> {
  const user = await users.withPassword(known, signal);
  // An administrator has locked the account, not the password.
  if (!isLockedOut(user))
    return actFailure('account_disabled', user.profile.account?.status ?? null);
  await api.ask(askOf(users, user.profile.id, UNLOCK), signal);
  return null;
}

async function forceChange(
  api: Api,
  users: Users,
  known: Known,
  signal: AbortSignal,
): Promise<ActFailure | null> {
  const user = await users.withPassword(known, signal);
  if (!hasOwnPassword(user)) return actFailure('no_own_password', user.password.status);
  // A forced change would unlock the password.
  if (isLockedOut(user)) return actFailure('account_locked', user.password.status);
  await api.ask(askOf(users, user.profile.id, FORCE_CHANGE), signal);
  return null;
}

async function checkPolicies(
  api: Api,
  environment: string,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const read = await readPolicies(api, environment, signal);
  const policies = read.result === 'policies' ? read.policies : [];
  if (policies.length === 0)
    return [skipped('policy', 'The service account can read no password policy.')];
  return policies.map(({ name, minLength, history }) =>
    ok('policy', `${name}: ${minLength} characters or more, history ${history}.`),
  );
}
