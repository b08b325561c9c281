import { z } from 'zod';
import { changeSchema } from '../../model/api/changes';
import { text } from '../../model/api/fields';
import { meSchema } from '../../model/api/me';
import type { Caller } from '../../store/api-keys';
import { readChangeOf } from '../../store/changes/read';
import { listNoticesOf } from '../../store/notices/read';
import { readIdentityName } from '../../store/people/identities';
import { changeOf } from '../changes/change';
import type { Dependencies } from '../http/dependencies';
import { HttpProblem } from '../http/problem';
import { type Route, route } from '../http/route';
import { readOverview } from './overview';

const NOTICES = 20;

/** @throws HttpProblem `not_found` for a key that is bound to no person, or whose person was deleted */
export async function ownIdentity({ db }: Dependencies, { identityId }: Caller) {
  const name = identityId === null ? null : await readIdentityName(db, identityId);
  if (identityId === null || name === null) throw new HttpProblem('not_found');
  return { identityId, name };
}

const read = route({
  method: 'get',
  path: '/v1/me',
  right: 'me',
  summary: 'Read your own accounts, changes and notices',
  description: 'For a key that is bound to a person. It shows nothing about other people.',
  answers: { 200: { says: 'The person that the key is bound to.', schema: meSchema } },
  problems: ['not_found'],
  handle: async (deps, { caller }) => {
    const { identityId, name } = await ownIdentity(deps, caller);
    const { accounts, changes } = await readOverview(deps, caller, name);
    const notices = await listNoticesOf(deps.db, identityId, NOTICES);
    return { status: 200, body: { name, accounts, changes, notices } };
  },
});

const readChange = route({
  method: 'get',
  path: '/v1/me/changes/{id}',
  right: 'me',
  summary: 'Read a change of your own password',
  params: z.strictObject({ id: text(40) }),
  answers: { 200: { says: 'The change.', schema: changeSchema } },
  problems: ['not_found'],
  handle: async (deps, { caller, params: { id } }) => {
    const { identityId } = await ownIdentity(deps, caller);
    const change = await readChangeOf(deps.db, id, identityId);
    if (change === null) throw new HttpProblem('not_found');
    const { configuration } = await deps.configuration();
    const body = changeOf(change, await deps.standstill(), deps.settings, configuration);
    return { status: 200, body };
  },
});

export const meRoutes: readonly Route[] = [read, readChange];
