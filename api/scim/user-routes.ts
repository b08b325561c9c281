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
import type { Dependencies } from '../http/dependencies';
import { HttpProblem } from '../http/problem';
import { type RequestBody, type Route, route } from '../http/route';
import { sourceName } from '../http/schemas';
import { SCIM_TYPE } from './errors';
import { linkUser } from './link';
import { mayBePassword, saidByOperations } from './patch';
import { type ScimSource, scimSource, takePushed } from './source';
import {
  partOf,
  type SaidOfUser,
  saidIn,
  userDocument,
  userUrl,
  versionOf,
  wholeUser,
} from './user';

/** Users that an identity provider creates, reads, changes and removes. Of all that only a password has an effect. */

export const scimDocument = z.looseObject({}).meta({ id: 'ScimDocument' });
export const partQuery = z.object({
  attributes: text(1000).optional(),
  excludedAttributes: text(1000).optional(),
});

const params = z.strictObject({ source: sourceName, id: text(40) });
const matching = z.object({ 'if-match': text(200).optional() });
const path = '/scim/v2/{source}/Users/{id}';
const scope = 'capture';
const answer = {
  says: 'The user.',
  schema: scimDocument,
  headers: { etag: 'Its version.' },
  contentType: SCIM_TYPE,
};
const ofPassword: ErrorCode[] = [
  'capture_disabled',
  'already_exists',
  'scim_value_invalid',
  'password_against_policy',
  'policy_file_unreadable',
  'no_epoch',
];

const body = (example: Readonly<Record<string, unknown>>): RequestBody<typeof scimDocument> => ({
  schema: scimDocument,
  mayBeSecret: mayBePassword,
  limitBytes: 64 * 1024,
  maxDepth: 12,
  examples: { example },
});

const create = route({
  method: 'post',
  path: '/scim/v2/{source}/Users',
  scope,
  summary: 'SCIM: a user was created',
  description:
    'No account is. The password is a placeholder with most providers, and left alone unless `capture.scim.createPassword` says otherwise.',
  params: params.omit({ id: true }),
  body: body({ userName: 'ada@example.com', externalId: '00u1', active: true }),
  answers: { 201: { ...answer, headers: { ...answer.headers, location: 'Of the user.' } } },
  problems: ofPassword,
  handle: async (deps, { caller, params: { source: name }, body: sent }) => {
    const source = await scimSource(deps, caller, name);
    const said = saidIn(sent);
    const user = await createScimUser(deps.db, name, wholeUser(said), by(caller));
    if (user === null) throw new HttpProblem('already_exists');
    try {
      if (source.settings.createLinks) await linkUser(deps.db, source, user, sent, by(caller));
      if (source.settings.createPassword) await push(deps, caller, source, user, said);
    } catch (error) {
      await removeScimUser(deps.db, user.id, by(caller));
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
  scope,
  summary: 'SCIM: read a user',
  params,
  query: partQuery,
  headers: z.object({ 'if-none-match': text(200).optional() }),
  answers: { 200: answer, 304: { says: 'It is as it was.' } },
  problems: ['capture_disabled'],
  handle: async (deps, { caller, params: at, query, headers }) => {
    const { source, user } = await userAt(deps, caller, at);
    const { headers: own, body: whole } = shown(deps, source, user);
    return matches(headers['if-none-match'], user) === true
      ? { status: 304, headers: { etag: own.etag } }
      : { status: 200, body: partOf(whole, query), headers: own };
  },
});

const replace = route({
  method: 'put',
  path,
  scope,
  summary: 'SCIM: a user was changed',
  description:
    'The form in which Okta pushes a password to an app that somebody made with its wizard.',
  params,
  headers: matching,
  body: body({
    userName: 'ada@example.com',
    active: true,
    password: 'correct horse battery staple',
  }),
  answers: { 200: answer },
  problems: [...ofPassword, 'scim_version_outdated'],
  handle: (deps, { caller, params: at, headers, body: sent }) =>
    update(deps, caller, at, headers['if-match'], saidIn(sent), wholeUser),
});

const patch = route({
  method: 'patch',
  path,
  scope,
  summary: 'SCIM: something of a user was changed',
  description: 'The form in which most providers push a password.',
  params,
  headers: matching,
  body: body({
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [{ op: 'replace', path: 'password', value: 'correct horse battery staple' }],
  }),
  answers: { 200: answer },
  problems: [...ofPassword, 'scim_path_invalid', 'scim_no_target', 'scim_version_outdated'],
  handle: (deps, { caller, params: at, headers, body: sent }) =>
    update(deps, caller, at, headers['if-match'], saidByOperations(sent), (said, user) =>
      wholeUser({ ...user, ...said }),
    ),
});

const remove = route({
  method: 'delete',
  path,
  scope,
  summary: 'SCIM: a user was removed',
  description: 'No account is, and no password is changed.',
  params,
  headers: matching,
  answers: { 204: { says: 'It is not pushed any more.' } },
  problems: ['capture_disabled', 'scim_version_outdated'],
  handle: async (deps, { caller, params: at, headers }) => {
    const { user } = await userAt(deps, caller, at, headers['if-match']);
    await removeScimUser(deps.db, user.id, by(caller));
    return { status: 204 };
  },
});

export const userRoutes: readonly Route[] = [create, read, replace, patch, remove];

const by = ({ keyId }: Caller): string => `api-key:${keyId}`;

const shown = (deps: Dependencies, { name }: ScimSource, user: ScimUser) => ({
  headers: { 'content-type': SCIM_TYPE, etag: versionOf(user) },
  body: userDocument(deps, name, user) as Readonly<Record<string, unknown>>,
});

async function userAt(
  deps: Dependencies,
  caller: Caller,
  at: z.output<typeof params>,
  ifMatch?: string,
): Promise<{ readonly source: ScimSource; readonly user: ScimUser }> {
  const source = await scimSource(deps, caller, at.source);
  const user = await readScimUser(deps.db, source.name, at.id);
  if (user === null) throw new HttpProblem('not_found');
  if (matches(ifMatch, user) === false) throw new HttpProblem('scim_version_outdated');
  return { source, user };
}

/** Undefined when nothing was named. */
function matches(header: string | undefined, user: ScimUser): boolean | undefined {
  if (header === undefined) return undefined;
  const versions = header.split(',').map((version) => version.trim().replace(/^W\//, ''));
  return versions.includes('*') || versions.includes(versionOf(user).replace(/^W\//, ''));
}

/** The password first: when that is refused, nothing is changed. */
async function update(
  deps: Dependencies,
  caller: Caller,
  at: z.output<typeof params>,
  ifMatch: string | undefined,
  said: SaidOfUser,
  merge: (said: SaidOfUser, user: ScimUser) => ReturnType<typeof wholeUser>,
) {
  const { source, user } = await userAt(deps, caller, at, ifMatch);
  const wanted = merge(said, user);
  await push(deps, caller, source, { ...user, ...wanted }, said);
  const version = ifMatch === undefined ? null : user.version;
  const updated = await updateScimUser(deps.db, user.id, version, wanted);
  if (updated === 'taken') throw new HttpProblem('already_exists');
  if (updated === null) throw new HttpProblem('scim_version_outdated');
  return { status: 200 as const, ...shown(deps, source, updated) };
}

async function push(
  deps: Dependencies,
  caller: Caller,
  source: ScimSource,
  user: ScimUser,
  { password }: SaidOfUser,
): Promise<void> {
  if (password !== undefined) await takePushed(deps, caller, source, user, password);
}
