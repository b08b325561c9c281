import { z } from 'zod';
import { text } from '../../model/api/fields';
import { sessionsSchema } from '../../model/api/sessions';
import { endSession, listSessions } from '../../store/sessions';
import { actorOf } from '../http/actor';
import { HttpProblem } from '../http/problem';
import { type Route, route } from '../http/route';

const list = route({
  method: 'get',
  path: '/v1/sessions',
  right: 'administer',
  summary: 'List the open sessions of the console',
  answers: { 200: { says: 'The sessions, the newest first.', schema: sessionsSchema } },
  handle: async ({ db }) => ({ status: 200, body: { sessions: await listSessions(db) } }),
});

const end = route({
  method: 'delete',
  path: '/v1/sessions/{id}',
  right: 'administer',
  summary: 'End a session of the console',
  description: 'Its browser has to sign in again. To end all sessions of a key, revoke the key.',
  params: z.strictObject({ id: text(40) }),
  answers: { 204: { says: 'The session has ended.' } },
  problems: ['not_found'],
  handle: async ({ db }, { caller, params: { id } }) => {
    if (!(await endSession(db, id, actorOf(caller)))) throw new HttpProblem('not_found');
    return { status: 204 };
  },
});

export const sessionRoutes: readonly Route[] = [list, end];
