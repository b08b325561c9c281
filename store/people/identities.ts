import { sql } from 'kysely';
import type { MappingUse } from '../../model/change/adapter-rules';
import type { Person } from '../../model/people/correlation';
import type { StoredProblem } from '../../model/people/links';
import type { AccountRules, Naming } from '../../model/people/naming';
import { writeAudit } from '../audit';
import type { Database } from '../database';
import { newId } from '../ids';
import { keepFormerAddresses } from '../notices/former-addresses';
import { isNamed } from './account-names';
import { type AccountLink, type LinkConflict, type LinkedBy, linkAccount } from './links';
import { mappingsOfAccount } from './mappings';

/** A person with their linked accounts. */
export interface IdentityView extends Person {
  readonly id: string;
  readonly lastSeq: number;
  readonly accounts: readonly AccountView[];
}

export interface AccountView {
  readonly id: string;
  readonly source: string;
  readonly name: string;
  readonly nativeId: string | null;
  readonly primary: boolean;
  readonly linkedBy: LinkedBy;
  readonly problem: StoredProblem | null;
  /** When a complete list of the source was first without the account, in ISO 8601; null while it is listed. */
  readonly missingSince: string | null;
}

/** A person as the acceptance of a change needs it. */
export interface IdentityAtIntake extends IdentityView {
  readonly accounts: readonly (AccountView & { readonly mappings: readonly MappingUse[] })[];
  /** Time of the database, from which ages are counted. */
  readonly now: Date;
  /** Version of the configuration in force now. */
  readonly configurationVersion: number;
}

const accountsWith = (further: ReturnType<typeof sql>) => sql`
  coalesce((select json_agg(json_build_object(
              'id', a.id, 'source', a.source, 'name', a.name, 'nativeId', a.native_id,
              'primary', a.is_primary, 'linkedBy', a.linked_by, 'problem', a.problem,
              'missingSince', to_char(a.missing_since at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')${further})
              order by a.is_primary desc, a.linked_at, a.id)
            from account a where a.identity_id = identity.id), '[]')`;

/** Column with the linked accounts as JSON, the primary ones first, for a statement that selects from `identity`. */
export const accountsOfIdentity = accountsWith(sql``);

type Key =
  | { readonly name: string }
  | { readonly source: string; readonly account: string; readonly naming: Naming };

/**
 * Reads a person by name, or by one of their linked accounts, in any spelling.
 * @returns null when there is none, or when two links name the account
 */
export async function findIdentity(db: Database, key: Key): Promise<IdentityAtIntake | null> {
  const condition =
    'name' in key
      ? sql`identity.name = ${key.name}`
      : sql`identity.id = (select identity_id from account
                           where ${isNamed(key.source, key.naming, key.account)}
                             and problem is distinct from 'linked_twice')`;
  const { rows } = await sql<IdentityAtIntake>`
    select id, name, attributes, last_seq as "lastSeq", date_trunc('milliseconds', now()) as now,
           (select coalesce(max(version), 0) from configuration) as "configurationVersion",
           ${accountsWith(sql`, 'mappings', ${mappingsOfAccount}`)} as accounts
    from identity where ${condition}`.execute(db);
  return rows[0] ?? null;
}

/** The name of the person with this id; null when there is none. */
export async function readIdentityName(db: Database, id: string): Promise<string | null> {
  const row = await db
    .selectFrom('identity')
    .select('name')
    .where('id', '=', id)
    .executeTakeFirst();
  return row?.name ?? null;
}

/** The name of a person as it is stored, when it is given in another case; the given name when no other one is meant. */
export async function storedName(db: Database, given: string): Promise<string> {
  const { rows } = await sql<{ name: string }>`
    select name from identity where name = ${given} or lower(name) = lower(${given})
    order by name = ${given} desc limit 2`.execute(db);
  const [first, second] = rows;
  return first === undefined || (second !== undefined && first.name !== given) ? given : first.name;
}

/** A person to save. With `keepsAttributes`, attributes that are not named stay as they are. */
export interface SavedPerson extends Person {
  readonly keepsAttributes?: boolean;
}

type Save = (
  db: Database,
  person: SavedPerson,
  links: readonly AccountLink[],
  linkedBy: LinkedBy,
  by: string,
  /** The rules of a source. */
  rulesIn: (source: string) => AccountRules,
) => Promise<readonly LinkConflict[]>;

/**
 * Adds a person, or updates their attributes, and links the accounts in `links`. Other linked accounts stay.
 * @returns the accounts that cannot be linked; unless it is empty, nothing was changed
 */
export const saveIdentity: Save = (...wanted) => save(wanted, 'keep');

/** Finds what `saveIdentity` would return. Nothing is changed. */
export const checkIdentity: Save = (...wanted) => save(wanted, 'undo');

async function save(
  [db, person, links, linkedBy, by, rulesIn]: Parameters<Save>,
  then: 'keep' | 'undo',
): Promise<readonly LinkConflict[]> {
  return db
    .transaction()
    .execute(async (trx) => {
      const attributes = {
        ...(person.keepsAttributes === true && (await lockAttributes(trx, person.name))),
        ...person.attributes,
      };
      await keepFormerAddresses(trx, person.name, attributes);
      const { id } = await trx
        .insertInto('identity')
        .values({
          id: newId('idn'),
          name: person.name,
          attributes: JSON.stringify(attributes),
        })
        .onConflict((conflict) =>
          conflict
            .column('name')
            .doUpdateSet({ attributes: (excluded) => excluded.ref('excluded.attributes') }),
        )
        .returning('id')
        .executeTakeFirstOrThrow();
      const conflicts: LinkConflict[] = [];
      for (const link of links) {
        const linked = await linkAccount(trx, id, link, linkedBy, by, rulesIn(link.source));
        if ('conflict' in linked) conflicts.push(linked.conflict);
      }
      // An exception rolls the transaction back.
      if (conflicts.length > 0 || then === 'undo') throw new NotLinked(conflicts);
      await writeAudit(trx, { actor: by, action: 'identity.saved', subject: id });
      return [];
    })
    .catch((error: unknown) => {
      if (error instanceof NotLinked) return error.conflicts;
      throw error;
    });
}

/** Reads the attributes of a person, and keeps others from changing them until the transaction ends. */
async function lockAttributes(trx: Database, name: string): Promise<Person['attributes']> {
  const { rows } = await sql<Pick<Person, 'attributes'>>`
    select attributes from identity where name = ${name} for update`.execute(trx);
  return rows[0]?.attributes ?? {};
}

class NotLinked extends Error {
  readonly conflicts: readonly LinkConflict[];
  constructor(conflicts: readonly LinkConflict[]) {
    super('Accounts cannot be linked');
    this.conflicts = conflicts;
  }
}
