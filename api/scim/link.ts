import { sortAccounts } from '../../model/people/refresh';
import type { Database } from '../../store/database';
import { type AccountLink, linkAccount, saveIdentity } from '../../store/people/identities';
import { readLinkedNames, readPeopleLike } from '../../store/people/matching';
import type { ScimFields } from '../../store/people/scim-users';
import type { ScimSource } from './source';
import { type Document, isDocument } from './user';

/**
 * Links a user that the provider has created, by the rules of a refresh: to the one person that the correlation rules
 * find, or to a new person. A user that matches several people stays unlinked.
 */
export async function linkUser(
  db: Database,
  source: ScimSource,
  { userName, externalId }: ScimFields,
  document: Document,
  by: string,
): Promise<void> {
  const attributes = attributesOf(document);
  const account = {
    name: userName,
    nativeId: externalId,
    attributes: Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [name, [value]]),
    ),
  };
  const people = await readPeopleLike(db, Object.values(attributes));
  const { toLink, toAdd } = sortAccounts({
    accounts: [account],
    correlate: source.correlate,
    createIdentities: source.createIdentities,
    people,
    linked: await readLinkedNames(db, source.name, { name: userName, people }),
  });
  const link: AccountLink = {
    source: source.name,
    name: userName,
    nativeId: externalId,
    primary: false,
  };
  for (const { person } of toAdd) await saveIdentity(db, person, [link], 'scim', by);
  for (const { person } of toLink) await linkAccount(db, person.id, link, 'scim', by);
}

/**
 * The attributes that correlation rules can use: `userName`, `name.givenName`, `emails` (the primary value, else the
 * first), and the attributes of schema extensions without their prefix.
 */
export function attributesOf(document: Document): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(document)) {
    if (typeof value === 'string') found[name] = value;
    else if (Array.isArray(value)) Object.assign(found, valueAmong(name, value));
    else if (isDocument(value))
      for (const [part, text] of Object.entries(value))
        if (typeof text === 'string')
          found[name.startsWith('urn:') ? part : `${name}.${part}`] = text;
  }
  return found;
}

function valueAmong(name: string, values: readonly unknown[]): Record<string, string> {
  const documents = values.filter(isDocument);
  const chosen = documents.find(({ primary }) => primary === true) ?? documents[0];
  return typeof chosen?.value === 'string' ? { [name]: chosen.value } : {};
}
