import { correlateAll } from '../../model/people/correlate-all';
import type { AccountAttributes } from '../../model/people/correlation';
import { newPeople } from '../../model/people/refresh';
import type { Database } from '../../store/database';
import { saveIdentity } from '../../store/people/identities';
import { type AccountLink, linkAccount, readLinksLike } from '../../store/people/links';
import { readPeopleLike, readPeopleLinkedIn } from '../../store/people/matching';
import type { ScimFields } from '../../store/people/scim-users';
import type { ScimSource } from './source';
import { type Document, isDocument } from './user';

/**
 * Links a user that the provider has created, by the rules of a refresh: to the one person that the correlation rules
 * find, or to a new person. A user that matches several people stays unlinked, and so does the service account.
 */
export async function linkUser(
  db: Database,
  source: ScimSource,
  { userName, externalId }: ScimFields,
  document: Document,
  by: string,
): Promise<void> {
  const { rules } = source;
  const account = { name: userName, nativeId: externalId, attributes: attributesOf(document) };
  const links = await readLinksLike(db, source.name, rules.naming, account);
  if (rules.isServiceAccount(userName) || links.length > 0) return;
  const people = await readPeopleLike(db, Object.values(account.attributes).flat());
  const { toLink, unmatched } = correlateAll({
    accounts: [account],
    free: new Set([account]),
    people,
    linkedPeople: await readPeopleLinkedIn(db, source.name, people),
    correlate: source.correlate,
    naming: rules.naming,
  });
  const link: AccountLink = {
    source: source.name,
    name: userName,
    nativeId: externalId,
    primary: false,
  };
  for (const person of newPeople(unmatched, { ...source, people }).values())
    await saveIdentity(db, person, [link], 'scim', by, () => rules);
  for (const { person } of toLink) await linkAccount(db, person.id, link, 'scim', by, rules);
}

/**
 * The attributes that correlation rules can use: `userName`, `name.givenName`, `emails` (all values, the primary one
 * first), and the attributes of schema extensions without their prefix.
 */
export function attributesOf(document: Document): AccountAttributes {
  const found: Record<string, readonly string[]> = {};
  for (const [name, value] of Object.entries(document)) {
    if (typeof value === 'string') found[name] = [value];
    else if (Array.isArray(value)) found[name] = valuesAmong(value);
    else if (isDocument(value))
      for (const [part, text] of Object.entries(value))
        if (typeof text === 'string')
          found[name.startsWith('urn:') ? part : `${name}.${part}`] = [text];
  }
  return found;
}

const valuesAmong = (values: readonly unknown[]): string[] =>
  values
    .filter(isDocument)
    .toSorted((a, b) => Number(b.primary === true) - Number(a.primary === true))
    .flatMap(({ value }) => (typeof value === 'string' ? [value] : []));
