import { z } from 'zod';
import { text } from '../../model/api/fields';
import { identitiesPageSchema, identityWithMappingsSchema } from '../../model/api/identities';
import {
  type AccountView,
  findIdentity,
  type IdentityView,
  saveIdentity,
  unlinkAccount,
} from '../../store/people/identities';
import { listIdentities, readMappingsOf } from '../../store/people/listing';
import { linkMapping } from '../../store/people/mappings';
import type { Dependencies } from '../http/dependencies';
import { HttpProblem } from '../http/problem';
import { largeBody, type Route, route } from '../http/route';
import { accountName, cursor, pageLimit, personName, sourceName } from '../http/schemas';
import { type ResolvedMapping, resolveMappings, unknownSources } from './mappings';

const params = z.strictObject({ name: personName });

const summaryOf = ({ name, attributes, accounts }: IdentityView) => ({
  name,
  attributes,
  accounts: accounts.map(({ id: _, ...account }: AccountView) => account),
});

async function readWhole({ db }: Dependencies, name: string) {
  const identity = await findIdentity(db, { name });
  if (identity === null) throw new HttpProblem('not_found');
  return { ...summaryOf(identity), mappings: await readMappingsOf(db, identity.id) };
}

const list = route({
  method: 'get',
  path: '/v1/identities',
  scope: 'admin',
  summary: 'List people, by name',
  query: z.strictObject({ limit: pageLimit, cursor }),
  answers: {
    200: {
      says: 'A page of them.',
      schema: identitiesPageSchema,
    },
  },
  handle: async ({ db }, { query: { limit, cursor: after = null } }) => {
    const found = await listIdentities(db, { limit: limit + 1, cursor: after });
    const identities = found.slice(0, limit).map(summaryOf);
    const next = found.length > limit ? (identities.at(-1)?.name ?? null) : null;
    return { status: 200, body: { identities, next } };
  },
});

const read = route({
  method: 'get',
  path: '/v1/identities/{name}',
  scope: 'admin',
  summary: 'Read a person, with accounts and mappings',
  params,
  answers: { 200: { says: 'The person.', schema: identityWithMappingsSchema } },
  problems: ['not_found'],
  handle: async (deps, { params: { name } }) => ({
    status: 200,
    body: await readWhole(deps, name),
  }),
});

const wantedIdentity = z
  .strictObject({
    attributes: z
      .record(text(100), z.string().max(1024))
      .optional()
      .describe('All of them; left as they are without it.'),
    accounts: z
      .array(
        z.strictObject({
          source: sourceName,
          name: accountName,
          nativeId: text(255).nullable().default(null),
          primary: z.boolean().default(false),
        }),
      )
      .max(1000)
      .default([])
      .describe('Linked to the person; those linked before stay.'),
    mappings: z
      .array(
        z.strictObject({
          application: sourceName,
          source: sourceName.optional(),
          account: accountName.optional(),
          enabled: z.boolean().default(true),
        }),
      )
      .max(1000)
      .default([])
      .describe(
        '`account` is needed when the person has several in the source of the application.',
      ),
  })
  .meta({ id: 'WantedIdentity' });

const save = route({
  method: 'put',
  path: '/v1/identities/{name}',
  scope: 'admin',
  summary: 'Add a person, link accounts, map applications',
  params,
  body: largeBody(wantedIdentity, {
    alice: {
      attributes: { mail: 'alice@example.com' },
      accounts: [
        { source: 'corp-directory', name: 'uid=alice,ou=people,dc=example,dc=com', primary: true },
        { source: 'warehouse', name: 'alice' },
      ],
      mappings: [{ application: 'reports' }],
    },
  }),
  answers: { 200: { says: 'The person as it is now.', schema: identityWithMappingsSchema } },
  problems: ['already_exists'],
  handle: async (deps, { caller, params: { name }, body }) => {
    const by = `api-key:${caller.keyId}`;
    const { configuration } = await deps.configuration();
    const before = await findIdentity(deps.db, { name });
    const accounts = [...(before?.accounts ?? []), ...body.accounts];
    const { mappings, issues } = resolveMappings(configuration, accounts, body.mappings);
    const wrong = [...unknownSources(configuration, body.accounts), ...issues];
    if (wrong.length > 0) throw new HttpProblem('request_invalid', { issues: wrong });
    const attributes = body.attributes ?? before?.attributes ?? {};
    const taken = await saveIdentity(deps.db, { name, attributes }, body.accounts, 'operator', by);
    if (taken.length > 0)
      throw new HttpProblem('already_exists', {
        issues: taken.map((account) => ({
          path: ['accounts', body.accounts.findIndex((one) => isSame(one, account))],
          says: 'is linked to somebody else',
        })),
      });
    await linkMappings(deps, name, mappings, by);
    return { status: 200, body: await readWhole(deps, name) };
  },
});

const isSame = (one: Account, other: Account): boolean =>
  one.source === other.source && one.name === other.name;

interface Account {
  readonly source: string;
  readonly name: string;
}

async function linkMappings(
  { db }: Dependencies,
  name: string,
  mappings: readonly ResolvedMapping[],
  by: string,
): Promise<void> {
  if (mappings.length === 0) return;
  const identity = await findIdentity(db, { name });
  for (const { application, account, enabled } of mappings) {
    const linked = identity?.accounts.find((one) => isSame(one, account));
    if (identity === null || linked === undefined) throw new HttpProblem('not_found');
    const link = { identityId: identity.id, application, accountId: linked.id, enabled };
    await linkMapping(db, link, by);
  }
}

const unlink = route({
  method: 'delete',
  path: '/v1/identities/{name}/accounts',
  scope: 'admin',
  summary: 'Unlink an account',
  description:
    'The account itself is left alone; what the applications keep of it goes with the link.',
  params,
  query: z.strictObject({ source: sourceName, name: accountName }),
  answers: { 204: { says: 'It is unlinked.' } },
  problems: ['not_found'],
  handle: async ({ db }, { caller, params: { name }, query }) => {
    if (!(await unlinkAccount(db, name, query, `api-key:${caller.keyId}`)))
      throw new HttpProblem('not_found');
    return { status: 204 };
  },
});

export const peopleRoutes: readonly Route[] = [list, read, save, unlink];
