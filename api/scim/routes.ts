import { z } from 'zod';
import { text } from '../../model/api/fields';
import { parseScimFilter } from '../../model/people/scim-filter';
import type { Caller } from '../../store/api-keys';
import { listScimUsers } from '../../store/people/scim-users';
import type { Dependencies } from '../http/dependencies';
import { HttpProblem } from '../http/problem';
import { type Route, route, smallBody } from '../http/route';
import { sourceName } from '../http/schemas';
import {
  listOf,
  MAX_PAGE_SIZE,
  serviceProviderConfig,
  userResourceType,
  userSchema,
} from './discovery';
import { SCIM_TYPE } from './errors';
import { partQuery, scimDocument } from './schemas';
import { scimSource } from './source';
import { partOf, userDocument } from './user';
import { userRoutes } from './user-routes';

/** Discovery and search. The routes that create, change and remove users are in `user-routes.ts`. */

const found = { says: 'The resource, or the list.', schema: scimDocument, contentType: SCIM_TYPE };
const typed = { 'content-type': SCIM_TYPE };

const fixed = (path: string, summary: string, content: Readonly<Record<string, unknown>>): Route =>
  route({
    method: 'get',
    path: `/scim/v2/{source}/${path}`,
    right: 'capture',
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

/** Two routes: the list of all resources of a kind, and one resource by its id. */
const listed = (
  path: string,
  summary: string,
  all: readonly Readonly<Record<string, unknown>>[],
): Route[] => [
  fixed(path, summary, listOf(all)),
  route({
    method: 'get',
    path: `/scim/v2/{source}/${path}/{id}`,
    right: 'capture',
    summary: `${summary}, one by id`,
    params: z.strictObject({ source: sourceName, id: text(100) }),
    query: z.object({}),
    answers: { 200: found },
    problems: ['capture_disabled'],
    handle: async (deps, { caller, params: { source, id } }) => {
      await scimSource(deps, caller, source);
      const resource = all.find((candidate) => candidate.id === id);
      if (resource === undefined) throw new HttpProblem('not_found');
      return { status: 200, body: resource, headers: typed };
    },
  }),
];

/** A number in a query. RFC 7644 §3.4.2.4 asks for numbers out of range to be adjusted, not rejected. */
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
  right: 'capture',
  summary: 'SCIM: list or find pushed users',
  params: z.strictObject({ source: sourceName }),
  query: partQuery.extend({
    filter: text(500).optional().describe('`userName eq "ada@example.com"`'),
    startIndex: countOf(1, Number.MAX_SAFE_INTEGER, 1),
    count: countOf(0, MAX_PAGE_SIZE, MAX_PAGE_SIZE),
  }),
  answers: { 200: found },
  problems: ['capture_disabled', 'scim_filter_invalid'],
  handle: async (deps, { caller, params, query }) => {
    const body = await find(deps, caller, params.source, query);
    return { status: 200, body, headers: typed };
  },
});

const names = z
  .array(text(200))
  .max(100)
  .optional()
  .transform((all) => all?.join(','));

/** The same search with its filter in the body, so that no log of a proxy holds it (RFC 7644 §3.4.3). */
const search = route({
  method: 'post',
  path: '/scim/v2/{source}/Users/.search',
  right: 'capture',
  summary: 'SCIM: find pushed users by a request body',
  params: z.strictObject({ source: sourceName }),
  body: {
    ...smallBody(
      z
        .looseObject({
          filter: text(500).optional(),
          startIndex: countOf(1, Number.MAX_SAFE_INTEGER, 1),
          count: countOf(0, MAX_PAGE_SIZE, MAX_PAGE_SIZE),
          attributes: names,
          excludedAttributes: names,
        })
        .meta({ id: 'ScimSearch', required: ['schemas'] }),
      {
        byName: {
          schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'],
          filter: 'userName eq "ada@example.com"',
        },
      },
    ),
    contentTypes: [SCIM_TYPE, 'application/json'],
  },
  answers: { 200: found },
  problems: ['capture_disabled', 'scim_filter_invalid'],
  handle: async (deps, { caller, params, body }) => ({
    status: 200,
    body: await find(deps, caller, params.source, body),
    headers: typed,
  }),
});

interface Search {
  readonly filter?: string | undefined;
  readonly startIndex: number;
  readonly count: number;
  readonly attributes?: string | undefined;
  readonly excludedAttributes?: string | undefined;
}

async function find(deps: Dependencies, caller: Caller, source: string, wanted: Search) {
  const { name } = await scimSource(deps, caller, source);
  const filter = wanted.filter === undefined ? null : parseScimFilter(wanted.filter);
  if (filter === null && wanted.filter !== undefined) throw new HttpProblem('scim_filter_invalid');
  const page = { filter, offset: wanted.startIndex - 1, limit: wanted.count };
  const { total, users } = await listScimUsers(deps.db, name, page);
  const documents = users.map((user) => partOf(userDocument(deps, name, user), wanted));
  return listOf(documents, total, wanted.startIndex);
}

export const scimRoutes: readonly Route[] = [
  fixed('ServiceProviderConfig', 'SCIM: supported features', serviceProviderConfig),
  ...listed('ResourceTypes', 'SCIM: resource types', [userResourceType]),
  ...listed('Schemas', 'SCIM: schemas', [userSchema]),
  ...listed('Groups', 'SCIM: groups (always empty)', []),
  list,
  search,
  ...userRoutes,
];
