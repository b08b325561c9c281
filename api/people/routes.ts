import { z } from 'zod';
import { rulesIn } from '../../intake/find-person';
import { text } from '../../model/api/fields';
import { identitiesPageSchema, identityWithMappingsSchema } from '../../model/api/identities';
import type { Caller } from '../../store/api-keys';
import { deleteIdentity } from '../../store/people/delete';
import {
  type AccountView,
  findIdentity,
  type IdentityView,
  saveIdentity,
} from '../../store/people/identities';
import { unlinkAccount } from '../../store/people/links';
import { listIdentities, readMappingsOf } from '../../store/people/listing';
import { staleHere } from '../changes/read-stale';
import { actorOf } from '../http/actor';
import type { Dependencies } from '../http/dependencies';
import { HttpProblem } from '../http/problem';
import { largeBody, type Route, route } from '../http/route';
import { accountName, cursor, pageLimit, personName, sourceName } from '../http/schemas';
import { importPeople } from './import';
import { conflictCode, conflictSays } from './link-conflicts';
import { linkMappings, requireFree } from './link-mappings';
import { resolveMappings, unknownSources } from './mappings';
import { personOverview } from './overview';
import { readPerson, type SeesSource, seesIn, sourcesOf } from './read-person';

const params = z.strictObject({ name: personName });

const summaryOf = ({ name, attributes, accounts }: IdentityView) => ({
  name,
  attributes,
  accounts: accounts.map(accountOf),
});

const accountOf = ({
  source,
  name,
  nativeId,
  primary,
  linkedBy,
  problem,
  missingSince,
}: AccountView) => ({
  source,
  name,
  nativeId,
  primary,
  linkedBy,
  problem,
  missingSince,
});

/** The person with the accounts that the caller may see. */
const visibleIn = (identity: IdentityView, sees: SeesSource): IdentityView => ({
  ...identity,
  accounts: identity.accounts.filter(({ source }) => sees(source)),
});

async function readWhole(deps: Dependencies, caller: Caller, name: string) {
  const { identity, accounts, stale, sees } = await readPerson(deps, caller, name);
  return {
    ...summaryOf({ ...identity, accounts }),
    accounts: accounts.map((account) => {
      const found = stale.get(account.id);
      return { ...accountOf(account), stale: found?.is ? staleHere(found, found.is) : null };
    }),
    mappings: (await readMappingsOf(deps.db, identity.id)).filter(({ source }) => sees(source)),
  };
}

const list = route({
  method: 'get',
  path: '/v1/identities',
  right: 'read-people',
  summary: 'List or search people, by name',
  query: z.strictObject({
    limit: pageLimit,
    cursor,
    search: text(255)
      .optional()
      .describe(
        'Only people whose name, an attribute such as mail, or the name of an account contains this text, in any case.',
      ),
    missing: z
      .enum(['true', 'false'])
      .default('false')
      .describe('`true`: only people with a linked account that its source no longer lists.'),
  }),
  answers: {
    200: {
      says: 'A page of people.',
      schema: identitiesPageSchema,
    },
  },
  handle: async (deps, { caller, query }) => {
    const { limit, cursor: after = null, search = null, missing } = query;
    const sources = await sourcesOf(deps, caller);
    const page = { limit: limit + 1, cursor: after, sources, search, missing: missing === 'true' };
    const found = await listIdentities(deps.db, page);
    const sees = seesIn(sources);
    const identities = found.slice(0, limit).map((one) => summaryOf(visibleIn(one, sees)));
    const next = found.length > limit ? (identities.at(-1)?.name ?? null) : null;
    return { status: 200, body: { identities, next } };
  },
});

const read = route({
  method: 'get',
  path: '/v1/identities/{name}',
  right: 'read-people',
  summary: 'Read a person with accounts and mappings',
  params,
  answers: { 200: { says: 'The person.', schema: identityWithMappingsSchema } },
  problems: ['not_found'],
  handle: async (deps, { caller, params: { name } }) => ({
    status: 200,
    body: await readWhole(deps, caller, name),
  }),
});

const wantedIdentity = z
  .strictObject({
    attributes: z
      .record(text(100), z.string().max(1024))
      .optional()
      .describe('Replaces all attributes. If omitted, they stay unchanged.'),
    accounts: z
      .array(
        z.strictObject({
          source: sourceName,
          name: accountName,
          nativeId: text(255)
            .nullable()
            .default(null)
            .describe(
              'The id of the account in its source. If omitted, Lockstep learns it when it first reads the account. Linking an account again whose stored id is outdated makes Lockstep forget that id.',
            ),
          primary: z.boolean().default(false),
        }),
      )
      .max(1000)
      .default([])
      .describe('Accounts to link to the person. Accounts that are already linked stay linked.'),
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
        '`account` is required if the person has several accounts in the source of the application.',
      ),
  })
  .meta({ id: 'WantedIdentity' });

const save = route({
  method: 'put',
  path: '/v1/identities/{name}',
  right: 'configure',
  summary: 'Add or update a person, link accounts, map applications',
  params,
  headers: z.object({
    'if-none-match': z
      .string()
      .optional()
      .describe('`*`: only add the person, and change nothing if there is one of this name.'),
  }),
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
  answers: { 200: { says: 'The person after the update.', schema: identityWithMappingsSchema } },
  problems: ['account_linked', 'service_account', 'mapping_taken', 'precondition_failed'],
  handle: async (deps, { caller, params: { name }, headers, body }) => {
    const by = actorOf(caller);
    const { configuration } = await deps.configuration();
    const before = await findIdentity(deps.db, { name });
    if (before !== null && headers['if-none-match']?.trim() === '*')
      throw new HttpProblem('precondition_failed');
    const accounts = [...(before?.accounts ?? []), ...body.accounts];
    const { mappings, issues } = resolveMappings(configuration, name, accounts, body.mappings);
    const allIssues = [...unknownSources(configuration, body.accounts), ...issues];
    if (allIssues.length > 0) throw new HttpProblem('request_invalid', { issues: allIssues });
    await requireFree(deps, configuration, before, mappings);
    const conflicts = await saveIdentity(
      deps.db,
      { name, attributes: body.attributes ?? {}, keepsAttributes: body.attributes === undefined },
      body.accounts,
      'operator',
      by,
      (source) => rulesIn(configuration, source),
    );
    if (conflicts.length > 0)
      throw new HttpProblem(conflictCode(conflicts), {
        issues: conflicts.map((conflict) => ({
          path: [
            'accounts',
            body.accounts.findIndex(
              ({ source, name: wanted }) => source === conflict.source && wanted === conflict.name,
            ),
          ],
          says: conflictSays(conflict),
        })),
      });
    await linkMappings(deps, configuration, name, mappings, by);
    return { status: 200, body: await readWhole(deps, caller, name) };
  },
});

const remove = route({
  method: 'delete',
  path: '/v1/identities/{name}',
  right: 'configure',
  summary: 'Delete a person',
  description:
    'Deletes the person with links, stored credentials, changes and notices. The accounts in the sources and the audit records stay.',
  params,
  answers: { 204: { says: 'The person is deleted.' } },
  problems: ['not_found', 'change_open'],
  handle: async ({ db }, { caller, params: { name } }) => {
    const result = await deleteIdentity(db, name, actorOf(caller));
    if (result === 'unknown') throw new HttpProblem('not_found');
    if (result === 'change_open') throw new HttpProblem('change_open');
    return { status: 204 };
  },
});

const unlink = route({
  method: 'delete',
  path: '/v1/identities/{name}/accounts',
  right: 'configure',
  summary: 'Unlink an account',
  description:
    'The account itself stays unchanged. The credentials that applications keep for it are deleted with the link.',
  params,
  query: z.strictObject({ source: sourceName, name: accountName }),
  answers: { 204: { says: 'The account is unlinked.' } },
  problems: ['not_found'],
  handle: async (deps, { caller, params: { name }, query }) => {
    const { configuration } = await deps.configuration();
    const { naming } = rulesIn(configuration, query.source);
    if (!(await unlinkAccount(deps.db, name, query, actorOf(caller), naming)))
      throw new HttpProblem('not_found');
    return { status: 204 };
  },
});

export const peopleRoutes: readonly Route[] = [
  list,
  importPeople,
  read,
  personOverview,
  save,
  remove,
  unlink,
];
