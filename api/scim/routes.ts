import { z } from 'zod';
import { text } from '../../model/api/fields';
import { parseScimFilter } from '../../model/people/scim-filter';
import { listScimUsers } from '../../store/people/scim-users';
import { HttpProblem } from '../http/problem';
import { type Route, route } from '../http/route';
import { sourceName } from '../http/schemas';
import {
  listOf,
  MOST_USERS_AT_ONCE,
  serviceProviderConfig,
  userResourceType,
  userSchema,
} from './discovery';
import { SCIM_TYPE } from './errors';
import { scimSource } from './source';
import { partOf, userDocument } from './user';
import { partQuery, scimDocument, userRoutes } from './user-routes';

/** What an identity provider may look for. That users come and go is in `user-routes.ts`. */

const found = { says: 'It is there.', schema: scimDocument, contentType: SCIM_TYPE };
const typed = { 'content-type': SCIM_TYPE };

const fixed = (path: string, summary: string, content: Readonly<Record<string, unknown>>): Route =>
  route({
    method: 'get',
    path: `/scim/v2/{source}/${path}`,
    scope: 'capture',
    summary,
    params: z.strictObject({ source: sourceName }),
    query: z.object({}),
    answers: { 200: found },
    problems: ['capture_disabled'],
    handle: async (deps, { caller, params }) => {
      await scimSource(deps, caller, params.source);
      return { status: 200, body: content, headers: typed };
    },
  });

/** All of a kind, and each. */
const listed = (
  path: string,
  summary: string,
  all: readonly Readonly<Record<string, unknown>>[],
): Route[] => [
  fixed(path, summary, listOf(all)),
  route({
    method: 'get',
    path: `/scim/v2/{source}/${path}/{id}`,
    scope: 'capture',
    summary: `${summary}, one of them`,
    params: z.strictObject({ source: sourceName, id: text(100) }),
    query: z.object({}),
    answers: { 200: found },
    problems: ['capture_disabled'],
    handle: async (deps, { caller, params: { source, id } }) => {
      await scimSource(deps, caller, source);
      const one = all.find((resource) => resource.id === id);
      if (one === undefined) throw new HttpProblem('not_found');
      return { status: 200, body: one, headers: typed };
    },
  }),
];

const countOf = (least: number, most: number, otherwise: number) =>
  z.coerce
    .number()
    .int()
    .default(otherwise)
    .transform((count) => Math.min(Math.max(count, least), most))
    .meta({ type: 'integer', default: otherwise });

const list = route({
  method: 'get',
  path: '/scim/v2/{source}/Users',
  scope: 'capture',
  summary: 'SCIM: list or find users that were pushed',
  params: z.strictObject({ source: sourceName }),
  query: partQuery.extend({
    filter: text(500).optional().describe('`userName eq "ada@example.com"`'),
    startIndex: countOf(1, Number.MAX_SAFE_INTEGER, 1),
    count: countOf(0, MOST_USERS_AT_ONCE, MOST_USERS_AT_ONCE),
  }),
  answers: { 200: found },
  problems: ['capture_disabled', 'scim_filter_invalid'],
  handle: async (deps, { caller, params, query }) => {
    const { name } = await scimSource(deps, caller, params.source);
    const filter = query.filter === undefined ? null : parseScimFilter(query.filter);
    if (filter === null && query.filter !== undefined) throw new HttpProblem('scim_filter_invalid');
    const page = { filter, offset: query.startIndex - 1, limit: query.count };
    const { total, users } = await listScimUsers(deps.db, name, page);
    const documents = users.map((user) => partOf(userDocument(deps, name, user), query));
    return { status: 200, body: listOf(documents, total, query.startIndex), headers: typed };
  },
});

export const scimRoutes: readonly Route[] = [
  fixed('ServiceProviderConfig', 'SCIM: what is supported', serviceProviderConfig),
  ...listed('ResourceTypes', 'SCIM: kinds of resources', [userResourceType]),
  ...listed('Schemas', 'SCIM: schemas', [userSchema]),
  ...listed('Groups', 'SCIM: groups, of which there are none', []),
  list,
  ...userRoutes,
];
