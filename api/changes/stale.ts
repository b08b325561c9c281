import { z } from 'zod';
import { stalePageSchema } from '../../model/api/stale';
import { type Route, route } from '../http/route';
import { cursor, pageLimit, personName, sourceName } from '../http/schemas';
import { readStale, staleHere } from './read-stale';

const list = route({
  method: 'get',
  path: '/v1/stale',
  right: 'read',
  summary: "List accounts that do not hold their person's current password",
  description:
    'The account missed the last change, its password was changed in the source and the capture of that had no effect, or it was changed there without being captured. The last is found only in sources that were asked with `POST /v1/sources/{name}/look`.',
  query: z.strictObject({
    identity: personName.optional(),
    source: sourceName.optional(),
    limit: pageLimit,
    cursor,
  }),
  answers: {
    200: {
      says: 'A page of stale accounts. A page may be short, or even empty, although more pages follow.',
      schema: stalePageSchema,
    },
  },
  handle: async (deps, { caller, query }) => {
    const { identity = null, source = null, limit, cursor: after = null } = query;
    const filter = { groups: caller.groups, source, identity, cursor: after, limit: limit + 1 };
    const found = await readStale(deps, filter);
    const stale = found.slice(0, limit).flatMap((checked) => {
      const { identity: person, source: where, account, is: why } = checked;
      return why === null
        ? []
        : [{ identity: person, source: where, account, ...staleHere(checked, why) }];
    });
    const next = found.length > limit ? (found[limit - 1]?.id ?? null) : null;
    return { status: 200, body: { stale, next } };
  },
});

export const staleRoutes: readonly Route[] = [list];
