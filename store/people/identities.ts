import { sql } from 'kysely';
import type { Person } from '../../model/people/correlation';
import { writeAudit } from '../audit';
import type { Database } from '../database';
import { newId } from '../ids';

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
}

export type LinkedBy = 'operator' | 'correlation' | 'refresh' | 'scim';

/** A person as the acceptance of a change needs it. */
export interface IdentityAtIntake extends IdentityView {
  /** Time of the database, from which ages are counted. */
  readonly now: Date;
  /** Version of the configuration in force now. */
  readonly configurationVersion: number;
}

/** Column with the linked accounts as JSON, the primary ones first, for a statement that selects from `identity`. */
export const accountsOfIdentity = sql<AccountView[]>`
  coalesce((select json_agg(json_build_object(
              'id', a.id, 'source', a.source, 'name', a.name, 'nativeId', a.native_id,
              'primary', a.is_primary, 'linkedBy', a.linked_by)
              order by a.is_primary desc, a.linked_at, a.id)
            from account a where a.identity_id = identity.id), '[]')`;

type Key = { readonly name: string } | { readonly source: string; readonly account: string };

/** Reads a person by name, or by one of their linked accounts; null when there is none. */
export async function findIdentity(db: Database, key: Key): Promise<IdentityAtIntake | null> {
  const condition =
    'name' in key
      ? sql`identity.name = ${key.name}`
      : sql`identity.id = (select identity_id from account
                           where source = ${key.source} and name = ${key.account})`;
  const { rows } = await sql<IdentityAtIntake>`
    select id, name, attributes, last_seq as "lastSeq", date_trunc('milliseconds', now()) as now,
           (select coalesce(max(version), 0) from configuration) as "configurationVersion",
           ${accountsOfIdentity} as accounts
    from identity where ${condition}`.execute(db);
  return rows[0] ?? null;
}

/**
 * The name under which Lockstep knows an account that was found in its source. The account may have been renamed
 * there since it was linked, and another account may have its old name now.
 * @returns null when the account is not linked
 */
export async function linkedName(
  db: Database,
  source: string,
  found: { readonly name: string; readonly nativeId: string | null },
): Promise<string | null> {
  const { rows } = await sql<{ name: string }>`
    select name from account
    where source = ${source}
      and (native_id = ${found.nativeId}
           or (name = ${found.name} and (native_id is null or ${found.nativeId}::text is null)))
    order by native_id is null limit 1`.execute(db);
  return rows[0]?.name ?? null;
}

export interface AccountLink {
  readonly source: string;
  readonly name: string;
  readonly nativeId: string | null;
  readonly primary: boolean;
}

/** An account that is linked to another person already. It is never moved to a new person silently. */
export interface LinkConflict {
  readonly source: string;
  readonly name: string;
}

/**
 * Adds a person, or updates their attributes, and links the accounts in `links`. Other linked accounts stay.
 * @returns the accounts that are linked to another person; unless it is empty, nothing was changed
 */
export async function saveIdentity(
  db: Database,
  person: Person,
  links: readonly AccountLink[],
  linkedBy: LinkedBy,
  by: string,
): Promise<readonly LinkConflict[]> {
  return db
    .transaction()
    .execute(async (trx) => {
      const { id } = await trx
        .insertInto('identity')
        .values({
          id: newId('idn'),
          name: person.name,
          attributes: JSON.stringify(person.attributes),
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
        const linked = await linkAccount(trx, id, link, linkedBy, by);
        if (linked === null) conflicts.push({ source: link.source, name: link.name });
      }
      // An exception rolls the transaction back.
      if (conflicts.length > 0) throw new LinkedElsewhere(conflicts);
      await writeAudit(trx, { actor: by, action: 'identity.saved', subject: id });
      return [];
    })
    .catch((error: unknown) => {
      if (error instanceof LinkedElsewhere) return error.accounts;
      throw error;
    });
}

class LinkedElsewhere extends Error {
  readonly accounts: readonly LinkConflict[];
  constructor(accounts: readonly LinkConflict[]) {
    super('Accounts are linked to another person');
    this.accounts = accounts;
  }
}

/**
 * Links an account to a person. With `primary`, it becomes their primary account in its source.
 * @returns the id of the account, or null when it is linked to another person
 */
export async function linkAccount(
  db: Database,
  identityId: string,
  link: AccountLink,
  linkedBy: LinkedBy,
  by: string,
): Promise<string | null> {
  if (link.primary)
    await sql`update account set is_primary = false
              where identity_id = ${identityId} and source = ${link.source} and name <> ${link.name}`.execute(
      db,
    );
  const { rows } = await sql<{ id: string; created: boolean }>`
    insert into account (id, identity_id, source, name, native_id, is_primary, linked_by)
    values (${newId('acc')}, ${identityId}, ${link.source}, ${link.name}, ${link.nativeId}, ${link.primary}, ${linkedBy})
    on conflict (source, name) do update
      set native_id = coalesce(excluded.native_id, account.native_id),
          is_primary = account.is_primary or excluded.is_primary
      where account.identity_id = excluded.identity_id
    returning id, xmax = 0 as created`.execute(db);
  const [row] = rows;
  if (row === undefined) return null;
  if (row.created)
    await writeAudit(db, {
      actor: by,
      action: 'account.linked',
      subject: row.id,
      detail: { source: link.source, linkedBy },
    });
  return row.id;
}

/**
 * Removes the link of an account to a person, and with it the mappings of the account. The account stays in its
 * source.
 * @returns false when the account is not linked to this person
 */
export async function unlinkAccount(
  db: Database,
  person: string,
  account: { readonly source: string; readonly name: string },
  by: string,
): Promise<boolean> {
  const { rows } = await sql<{ id: string }>`
    with unlinked as (
      delete from account using identity
      where identity.id = account.identity_id and identity.name = ${person}
        and account.source = ${account.source} and account.name = ${account.name}
      returning account.id
    ), audited as (
      insert into audit (actor, action, subject, detail)
      select ${by}, 'account.unlinked', id, jsonb_build_object('source', ${account.source}::text) from unlinked
    )
    select id from unlinked`.execute(db);
  return rows.length === 1;
}

/**
 * Records the new name of an account that was renamed in its source. If another linked account has that name, nothing
 * is changed.
 */
export async function renameAccount(db: Database, accountId: string, name: string): Promise<void> {
  await sql`
    update account a set name = ${name}
    where id = ${accountId}
      and not exists (select from account b where b.source = a.source and b.name = ${name})`.execute(
    db,
  );
}
