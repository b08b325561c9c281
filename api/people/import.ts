import { z } from 'zod';
import { rulesIn } from '../../intake/find-person';
import { text } from '../../model/api/fields';
import { type ImportedPerson, importedPeopleSchema } from '../../model/api/identities';
import type { Configuration } from '../../model/configuration/document';
import {
  checkIdentity,
  findIdentity,
  type IdentityView,
  saveIdentity,
  storedName,
} from '../../store/people/identities';
import { actorOf } from '../http/actor';
import type { Dependencies } from '../http/dependencies';
import { largeBody, type Route, route } from '../http/route';
import { accountName, personName, sourceName } from '../http/schemas';
import { conflictSays } from './link-conflicts';
import { isSameAccount, unknownSources } from './mappings';

/** The largest number of people in one request. */
const MOST = 200;

const wantedPerson = z.strictObject({
  name: personName,
  attributes: z.record(text(100), text(1024)).default({}),
  accounts: z
    .array(z.strictObject({ source: sourceName, name: accountName }))
    .max(100)
    .default([]),
});

type WantedPerson = z.output<typeof wantedPerson>;

export const importPeople: Route = route({
  method: 'post',
  path: '/v1/identities/import',
  right: 'configure',
  summary: 'Add or update several people',
  description:
    'Other attributes and accounts of the people stay. Each person is stored completely or not at all, and a conflict of one person stops no other. Repeating a request changes nothing more, so an import that was interrupted can be started again.',
  body: largeBody(
    z.strictObject({
      preview: z.boolean().default(false).describe('Report what would change, and change nothing.'),
      people: z.array(wantedPerson).min(1).max(MOST),
    }),
    {
      preview: {
        preview: true,
        people: [
          {
            name: 'alice',
            attributes: { mail: 'alice@example.com' },
            accounts: [{ source: 'warehouse', name: 'alice' }],
          },
        ],
      },
    },
  ),
  answers: {
    200: { says: 'What became of each person, in their order.', schema: importedPeopleSchema },
  },
  handle: async (deps, { caller, body: { preview, people } }) => {
    const { configuration } = await deps.configuration();
    const results: ImportedPerson[] = [];
    for (const person of people)
      results.push(await importOne(deps, configuration, person, preview, actorOf(caller)));
    return { status: 200, body: { people: results } };
  },
});

async function importOne(
  { db }: Dependencies,
  configuration: Configuration,
  { name, attributes, accounts }: WantedPerson,
  preview: boolean,
  by: string,
): Promise<ImportedPerson> {
  const conflict = (conflicts: string[]) => ({ name, result: 'conflict' as const, conflicts });
  const unknown = unknownSources(configuration, accounts);
  if (unknown.length > 0)
    return conflict(
      unknown.map(({ path, says }) => `${accounts[Number(path[1])]?.source} ${says}`),
    );
  const stored = await storedName(db, name);
  if (stored !== name) return conflict([`the name differs from that of ${stored} only in case`]);
  const before = await findIdentity(db, { name });
  if (before !== null && holdsAll(configuration, before, attributes, accounts))
    return { name, result: 'unchanged', conflicts: [] };
  const conflicts = await (preview ? checkIdentity : saveIdentity)(
    db,
    { name, attributes, keepsAttributes: true },
    accounts.map((account) => ({ ...account, nativeId: null, primary: false })),
    'operator',
    by,
    (source) => rulesIn(configuration, source),
  );
  if (conflicts.length > 0)
    return conflict(
      conflicts.map((one) => `the account ${one.name} in ${one.source} ${conflictSays(one)}`),
    );
  return { name, result: before === null ? 'added' : 'updated', conflicts: [] };
}

const holdsAll = (
  configuration: Configuration,
  before: IdentityView,
  attributes: WantedPerson['attributes'],
  accounts: WantedPerson['accounts'],
): boolean =>
  Object.entries(attributes).every(([key, value]) => before.attributes[key] === value) &&
  accounts.every((account) =>
    before.accounts.some((linked) => isSameAccount(configuration, linked, account)),
  );
