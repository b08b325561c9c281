import { z } from 'zod';
import { text } from '../../model/api/fields';
import type { ErrorCode } from '../../model/errors';
import type { Caller } from '../../store/api-keys';
import {
  createScimUser,
  readScimUser,
  removeScimUser,
  type ScimUser,
  updateScimUser,
} from '../../store/people/scim-users';
import { actorOf } from '../http/actor';
import type { Dependencies } from '../http/dependencies';
import { HttpProblem } from '../http/problem';
import { type RequestBody, type Route, route } from '../http/route';
import { sourceName } from '../http/schemas';
import { SCIM_TYPE } from './errors';
import { linkUser } from './link';
import { mayBePassword, updateFromOperations } from './patch';
import { partQuery, scimDocument, scimPatch, scimUser } from './schemas';
import { ingestPushed, type ScimSource, scimSource } from './source';
import {
  partOf,
  type UserUpdate,
  updateIn,
  userDocument,
  userUrl,
  versionOf,
  wholeUser,
} from './user';

/** Users that an identity provider creates, reads, changes and removes. Only their passwords affect accounts. */

const params = z.strictObject({ source: sourceName, id: text(40) });
const matching = z.object({
  'if-match': text(200).optional(),
  'if-none-match': text(200).optional(),
});
const path = '/scim/v2/{source}/Users/{id}';
const right = 'capture';
const USER_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:User';
const answer = {
  says: 'The user.',
  schema: scimDocument,
  headers: { etag: 'The version of the user.' },
  contentType: SCIM_TYPE,
};
const ofPassword: ErrorCode[] = [
  'capture_disabled',
  'sync_not_allowed',
  'already_exists',
  'scim_value_invalid',
  'password_against_policy',
  'policy_file_unreadable',
  'no_epoch',
];

const body = (
  schema: typeof scimDocument,
  example: Readonly<Record<string, unknown>>,
): RequestBody<typeof scimDocument> => ({
  schema,
  contentTypes: [SCIM_TYPE, 'application/json'],
  mayBeSecret: mayBePassword,
  limitBytes: 64 * 1024,
  maxDepth: 12,
  examples: { example },
});

const create = route({
  method: 'post',
  path: '/scim/v2/{source}/Users',
  right,
  summary: 'SCIM: create a user',
  description:
    'This creates no account. Most providers send a placeholder as the password, so it is ignored unless `capture.scim.createPassword` is set.',
  params: params.omit({ id: true }),
  body: body(scimUser, {
    schemas: [USER_SCHEMA],
    userName: 'ada@example.com',
    externalId: '00u1',
    active: true,
  }),
  answers: { 201: { ...answer, headers: { ...answer.headers, location: 'The URL of the user.' } } },
  problems: ofPassword,
  handle: async (deps, { caller, params: { source: name }, body: sent }) => {
    const source = await scimSource(deps, caller, name);
    const changes = updateIn(sent);
    const user = await createScimUser(deps.db, name, wholeUser(changes), actorOf(caller));
    if (user === null) throw new HttpProblem('already_exists');
    try {
      if (source.settings.createLinks) await linkUser(deps.db, source, user, sent, actorOf(caller));
      if (source.settings.createPassword) await push(deps, caller, source, user, changes);
    } catch (error) {
      await removeScimUser(deps.db, user.id, actorOf(caller));
      throw error;
    }
    const { headers, body: created } = shown(deps, source, user);
    return {
      status: 201,
      body: created,
      headers: { ...headers, location: userUrl(deps, name, user) },
    };
  },
});

const read = route({
  method: 'get',
  path,
  right,
  summary: 'SCIM: read a user',
  params,
  query: partQuery,
  headers: z.object({ 'if-none-match': text(200).optional() }),
  answers: { 200: answer, 304: { says: 'The user is unchanged.' } },
  problems: ['capture_disabled'],
  handle: async (deps, { caller, params: target, query, headers }) => {
    const { source, user } = await userAt(deps, caller, target);
    const { headers: allHeaders, body: whole } = shown(deps, source, user);
    return matches(headers['if-none-match'], user) === true
      ? { status: 304, headers: { etag: allHeaders.etag } }
      : { status: 200, body: partOf(whole, query), headers: allHeaders };
  },
});

const replace = route({
  method: 'put',
  path,
  right,
  summary: 'SCIM: replace a user',
  description:
    'The form in which Okta pushes a password to an app that was created with its wizard.',
  params,
  headers: matching,
  body: body(scimUser, {
    schemas: [USER_SCHEMA],
    userName: 'ada@example.com',
    active: true,
    password: 'correct horse battery staple',
  }),
  answers: { 200: answer },
  problems: [...ofPassword, 'scim_version_outdated', 'precondition_failed'],
  handle: (deps, { caller, params: target, headers, body: sent }) =>
    update(deps, caller, target, headers, updateIn(sent), wholeUser),
});

const patch = route({
  method: 'patch',
  path,
  right,
  summary: 'SCIM: update a user',
  description: 'The form in which most providers push a password.',
  params,
  headers: matching,
  body: body(scimPatch, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [{ op: 'replace', path: 'password', value: 'correct horse battery staple' }],
  }),
  answers: { 200: answer },
  problems: [
    ...ofPassword,
    'scim_path_invalid',
    'scim_no_target',
    'scim_version_outdated',
    'precondition_failed',
  ],
  handle: (deps, { caller, params: target, headers, body: sent }) =>
    update(deps, caller, target, headers, updateFromOperations(sent), (changes, user) =>
      wholeUser({ ...user, ...changes }),
    ),
});

const remove = route({
  method: 'delete',
  path,
  right,
  summary: 'SCIM: delete a user',
  description: 'This deletes no account and changes no password.',
  params,
  headers: matching,
  answers: { 204: { says: 'The user is deleted.' } },
  problems: ['capture_disabled', 'scim_version_outdated', 'precondition_failed'],
  handle: async (deps, { caller, params: target, headers }) => {
    const { user } = await userAt(deps, caller, target, headers);
    await removeScimUser(deps.db, user.id, actorOf(caller));
    return { status: 204 };
  },
});

export const userRoutes: readonly Route[] = [create, read, replace, patch, remove];

const shown = (deps: Dependencies, { name }: ScimSource, user: ScimUser) => ({
  headers: { 'content-type': SCIM_TYPE, etag: versionOf(user) },
  body: userDocument(deps, name, user) as Readonly<Record<string, unknown>>,
});

type Conditions = z.output<typeof matching>;

/** @throws HttpProblem if there is no such user, or a condition does not hold (RFC 9110 §13.2.2) */
async function userAt(
  deps: Dependencies,
  caller: Caller,
  target: z.output<typeof params>,
  conditions: Conditions = {},
): Promise<{ readonly source: ScimSource; readonly user: ScimUser }> {
  const source = await scimSource(deps, caller, target.source);
  const user = await readScimUser(deps.db, source.name, target.id);
  if (user === null) throw new HttpProblem('not_found');
  if (matches(conditions['if-match'], user) === false)
    throw new HttpProblem('scim_version_outdated');
  if (matches(conditions['if-none-match'], user) === true)
    throw new HttpProblem('precondition_failed');
  return { source, user };
}

/** Whether a header lists the current version of the user; undefined if there is no header. */
function matches(header: string | undefined, user: ScimUser): boolean | undefined {
  if (header === undefined) return undefined;
  const versions = header.split(',').map((version) => version.trim().replace(/^W\//, ''));
  return versions.includes('*') || versions.includes(versionOf(user).replace(/^W\//, ''));
}

/** Ingests the password first, so that nothing is changed if it is rejected. */
async function update(
  deps: Dependencies,
  caller: Caller,
  target: z.output<typeof params>,
  conditions: Conditions,
  changes: UserUpdate,
  merge: (changes: UserUpdate, user: ScimUser) => ReturnType<typeof wholeUser>,
) {
  const { source, user } = await userAt(deps, caller, target, conditions);
  const wanted = merge(changes, user);
  await push(deps, caller, source, { ...user, ...wanted }, changes);
  const version = conditions['if-match'] === undefined ? null : user.version;
  const updated = await updateScimUser(deps.db, user.id, version, wanted, actorOf(caller));
  if (updated === 'taken') throw new HttpProblem('already_exists');
  if (updated === null) throw new HttpProblem('scim_version_outdated');
  return { status: 200 as const, ...shown(deps, source, updated) };
}

async function push(
  deps: Dependencies,
  caller: Caller,
  source: ScimSource,
  user: ScimUser,
  { password }: UserUpdate,
): Promise<void> {
  if (password !== undefined) await ingestPushed(deps, caller, source, user, password);
}
