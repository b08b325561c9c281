import type { LinkOfPerson, SeenLink } from './match-links';
import type { KnownPerson, ListedAccount } from './refresh';

/** The attributes of a person that their account shows with other values. */
export interface AttributeUpdate {
  readonly person: KnownPerson;
  /** The new values. */
  readonly changed: Readonly<Record<string, string>>;
}

/**
 * Finds which attributes of people follow their accounts. A value that the account no longer shows is kept, because it
 * may be hidden from the service account. An attribute with several values keeps the one that the person has.
 * @param given attribute of the person to account attribute, as `createIdentities` lists them
 * @param isOwner whether the attributes of the person come from this link
 */
export function attributeUpdates(
  seen: readonly SeenLink<ListedAccount>[],
  people: readonly KnownPerson[],
  given: Readonly<Record<string, string>>,
  isOwner: (link: LinkOfPerson) => boolean,
): AttributeUpdate[] {
  const byId = new Map(people.map((person) => [person.id, person]));
  return seen.flatMap(({ link, account }) => {
    const person = byId.get(link.identityId);
    if (person === undefined || !isOwner(link)) return [];
    const changed = Object.entries(given).flatMap(([attribute, from]) => {
      const values = account.attributes[from] ?? [];
      const [first = ''] = values;
      return first === '' || values.includes(person.attributes[attribute] ?? '')
        ? []
        : [[attribute, first] as const];
    });
    return changed.length === 0 ? [] : [{ person, changed: Object.fromEntries(changed) }];
  });
}
