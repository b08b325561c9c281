import { z } from 'zod';
import { stalePageSchema } from '../../model/api/stale';
import { type Stale, staleness, staleRules } from '../../model/change/stale';
import { groupsOf, sourceNamed } from '../../model/configuration/document';
import { type DoubtfulAccount, readDoubtful, type StaleFilter } from '../../store/changes/stale';
import type { Dependencies } from '../http/dependencies';
import { type Route, route } from '../http/route';
import { cursor, pageLimit, personName, sourceName } from '../http/schemas';

const list = route({
  method: 'get',
  path: '/v1/stale',
  scope: 'read',
  summary: 'List accounts that do not hold the password of their person',
  description:
    'They missed the last change, or their password was changed in the source since. That shows only where a source was looked at: `POST /v1/sources/{name}/look`.',
  query: z.strictObject({
    identity: personName.optional(),
    source: sourceName.optional(),
    limit: pageLimit,
    cursor,
  }),
  answers: {
    200: {
      says: 'A page of them; it may be short, and even empty, though there are more.',
      schema: stalePageSchema,
    },
  },
  handle: async (deps, { caller, query }) => {
    const { identity = null, source = null, limit, cursor: after = null } = query;
    const wanted = { groups: caller.groups, source, identity, cursor: after, limit: limit + 1 };
    const found = await readStale(deps, wanted);
    const stale = found.slice(0, limit).flatMap(({ is, ...standing }) => {
      if (is === null) return [];
      const { identity: person, source: where, account, changeId: change, outcome } = standing;
      const { code, since, cure } = is;
      const { says } = staleRules[code];
      const reason = outcome?.reason ?? null;
      return [
        { identity: person, source: where, account, change, code, says, cure, reason, since },
      ];
    });
    const next = found.length > limit ? (found[limit - 1]?.id ?? null) : null;
    return { status: 200, body: { stale, next } };
  },
});

interface Wanted extends Omit<StaleFilter, 'sources'> {
  /** Null: every group. */
  readonly groups: readonly string[] | null;
  readonly source: string | null;
}

/** A page of accounts that may be stale, each with what is wrong with it; null where nothing is. */
export async function readStale(
  deps: Dependencies,
  { groups, source, ...page }: Wanted,
): Promise<(DoubtfulAccount & { readonly is: Stale | null })[]> {
  const { configuration } = await deps.configuration();
  const sources = groupsOf(configuration)
    .filter(({ name }) => groups === null || groups.includes(name))
    .flatMap(({ name, sources: its }) => its.map((one) => ({ name: one, group: name })))
    .filter(({ name }) => source === null || name === source);
  const found = await readDoubtful(deps.db, { ...page, sources });
  return found.map((standing) => {
    const enabled = sourceNamed(configuration, standing.source)?.enabled === true;
    return { ...standing, is: staleness({ ...standing, enabled }) };
  });
}

export const staleRoutes: readonly Route[] = [list];
