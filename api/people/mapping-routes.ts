import { z } from 'zod';
import { text } from '../../model/api/fields';
import { mappingsPageSchema } from '../../model/api/identities';
import { mappingListStates } from '../../model/change/mapping';
import { listMappings } from '../../store/people/listing';
import { deleteMapping, enableMapping } from '../../store/people/mappings';
import { actorOf } from '../http/actor';
import { HttpProblem } from '../http/problem';
import { type Route, route } from '../http/route';
import { cursor, pageLimit, personName, sourceName } from '../http/schemas';
import { sourcesOf } from './read-person';

const params = z.strictObject({ id: text(40) });

const list = route({
  method: 'get',
  path: '/v1/mappings',
  right: 'read-people',
  summary: 'List mappings, the oldest first',
  query: z.strictObject({
    application: sourceName.optional(),
    identity: personName.optional(),
    state: z
      .enum(mappingListStates)
      .optional()
      .describe('`disabled`, or the state of the credential of an enabled mapping.'),
    limit: pageLimit,
    cursor,
  }),
  answers: { 200: { says: 'A page of mappings.', schema: mappingsPageSchema } },
  handle: async (deps, { caller, query }) => {
    const { application = null, identity = null, state = null, limit, cursor: after } = query;
    const found = await listMappings(deps.db, {
      ...{ application, identity, state, limit: limit + 1, cursor: after ?? null },
      sources: await sourcesOf(deps, caller),
    });
    const mappings = found.slice(0, limit);
    const next = found.length > limit ? (mappings.at(-1)?.id ?? null) : null;
    return { status: 200, body: { mappings, next } };
  },
});

const enableRoute = (verb: 'enable' | 'disable', summary: string, description: string) =>
  route({
    method: 'post',
    path: `/v1/mappings/{id}/${verb}`,
    right: 'configure',
    summary,
    description,
    params,
    answers: { 204: { says: `The mapping is ${verb}d.` } },
    problems: ['not_found'],
    handle: async ({ db }, { caller, params: { id } }) => {
      if (!(await enableMapping(db, id, verb === 'enable', actorOf(caller))))
        throw new HttpProblem('not_found');
      return { status: 204 };
    },
  });

const enable = enableRoute(
  'enable',
  'Enable a mapping',
  'The next change of the account updates its credential.',
);

const disable = enableRoute(
  'disable',
  'Disable a mapping',
  'Its credential stays as it is. A change of the account flags it as out of sync.',
);

const remove = route({
  method: 'delete',
  path: '/v1/mappings/{id}',
  right: 'configure',
  summary: 'Delete a disabled mapping with its credential',
  description: 'The account stays linked to the person.',
  params,
  answers: { 204: { says: 'The mapping is deleted.' } },
  problems: ['not_found', 'mapping_enabled'],
  handle: async ({ db }, { caller, params: { id } }) => {
    const result = await deleteMapping(db, id, actorOf(caller));
    if (result === 'missing') throw new HttpProblem('not_found');
    if (result === 'enabled') throw new HttpProblem('mapping_enabled');
    return { status: 204 };
  },
});

export const mappingRoutes: readonly Route[] = [list, enable, disable, remove];
