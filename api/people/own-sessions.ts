import { z } from 'zod';
import { text } from '../../model/api/fields';
import { ownSessionsSchema } from '../../model/api/sessions';
import { endSession, listSessionsOf } from '../../store/sessions';
import { actorOf } from '../http/actor';
import { HttpProblem } from '../http/problem';
import { type Route, route } from '../http/route';
import { ownIdentity } from './me';

const list = route({
  method: 'get',
  path: '/v1/me/sessions',
  right: 'me',
  summary: 'List your own open sessions of the console',
  answers: { 200: { says: 'The sessions, the newest first.', schema: ownSessionsSchema } },
  problems: ['not_found'],
  handle: async (deps, { caller }) => {
    const { identityId } = await ownIdentity(deps, caller);
    return { status: 200, body: { sessions: await listSessionsOf(deps.db, identityId) } };
  },
});

const end = route({
  method: 'delete',
  path: '/v1/me/sessions/{id}',
  right: 'me',
  summary: 'End one of your own sessions of the console',
  description: 'Its browser has to sign in again.',
  params: z.strictObject({ id: text(40) }),
  answers: { 204: { says: 'The session has ended.' } },
  problems: ['not_found'],
  handle: async (deps, { caller, params: { id } }) => {
    const { identityId } = await ownIdentity(deps, caller);
    const own = await listSessionsOf(deps.db, identityId);
    if (own.every((session) => session.id !== id)) throw new HttpProblem('not_found');
    if (!(await endSession(deps.db, id, actorOf(caller)))) throw new HttpProblem('not_found');
    return { status: 204 };
  },
});

export const ownSessionRoutes: readonly Route[] = [list, end];
