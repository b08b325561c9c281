import { z } from 'zod';
import {
  configurationDifferencesSchema,
  configurationVersionSchema,
  configurationVersionsSchema,
} from '../../model/api/configuration';
import { actorSays } from '../../model/audit/record';
import { valueDifferences } from '../../model/configuration/differences';
import { type Configuration, emptyConfiguration } from '../../model/configuration/document';
import {
  type ConfigurationVersion,
  listVersions,
  readVersion,
} from '../../store/configuration/history';
import type { Database } from '../../store/database';
import { HttpProblem } from '../http/problem';
import { type Route, route } from '../http/route';
import { pageLimit } from '../http/schemas';

const MOST = 2_147_483_647;
const number = z.coerce.number().int().min(0).max(MOST);
const integer = (description: string) => ({ type: 'integer' as const, minimum: 0, description });

const params = z.strictObject({
  version: number.min(1).meta(integer('A version of the configuration, from 1.')),
});

const shown = ({ version, appliedAt, appliedBy }: ConfigurationVersion) => ({
  version,
  appliedAt,
  appliedBy: { ...appliedBy, says: actorSays(appliedBy) },
});

const list = route({
  method: 'get',
  path: '/v1/configuration/versions',
  right: 'configure',
  summary: 'List the configurations that were applied, the newest first',
  query: z.strictObject({
    limit: pageLimit,
    cursor: number.optional().meta(integer('The `next` value of the previous page.')),
  }),
  answers: { 200: { says: 'A page of versions.', schema: configurationVersionsSchema } },
  handle: async ({ db }, { query: { limit, cursor = null } }) => {
    const found = await listVersions(db, { limit: limit + 1, cursor });
    const versions = found.slice(0, limit).map(shown);
    const next = found.length > limit ? String(versions.at(-1)?.version) : null;
    return { status: 200, body: { versions, next } };
  },
});

const read = route({
  method: 'get',
  path: '/v1/configuration/versions/{version}',
  right: 'configure',
  summary: 'Read a configuration that was applied',
  description: 'To return to it, plan and apply its `configuration` as a document.',
  params,
  answers: {
    200: {
      says: 'The configuration as it was stored. It contains references to secrets, never secrets.',
      schema: configurationVersionSchema,
    },
  },
  problems: ['not_found'],
  handle: async ({ db }, { params: { version } }) => {
    const found = await readVersion(db, version);
    if (found === null) throw new HttpProblem('not_found');
    return { status: 200, body: { ...shown(found), configuration: found.configuration } };
  },
});

const diff = route({
  method: 'get',
  path: '/v1/configuration/versions/{version}/differences',
  right: 'configure',
  summary: 'Compare two configurations that were applied',
  params,
  query: z.strictObject({
    from: number
      .optional()
      .meta(integer('The version to compare with; by default the one before. 0 is empty.')),
  }),
  answers: { 200: { says: 'What differs.', schema: configurationDifferencesSchema } },
  problems: ['not_found'],
  handle: async ({ db }, { params: { version }, query: { from = version - 1 } }) => {
    const [before, after] = [await documentOf(db, from), await documentOf(db, version)];
    return {
      status: 200,
      body: { from, to: version, differences: valueDifferences(before, after) },
    };
  },
});

async function documentOf(db: Database, version: number): Promise<Configuration> {
  if (version === 0) return emptyConfiguration;
  const found = await readVersion(db, version);
  if (found === null) throw new HttpProblem('not_found');
  return found.configuration;
}

export const configurationVersionRoutes: readonly Route[] = [list, read, diff];
