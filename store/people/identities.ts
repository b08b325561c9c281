import { sql } from 'kysely';
import type { Person } from '../../model/people/correlation';
import { writeAudit } from '../audit';
import type { Database } from '../database';
import { newId } from '../ids';

/** People, the accounts that are theirs, and the applications they sign in to. */
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

export interface IdentityAtIntake extends IdentityView {
  /** The clock of the database, from which ages are counted. */
  readonly now: Date;
  /** Of the configuration in force now. */
  readonly configurationVersion: number;
}

/** For a statement that selects from `identity`. */
export const accountsOfIdentity = sql<AccountView[]>`
  coalesce((select json_agg(json_build_object(
              'id', a.id, 'source', a.source, 'name', a.name, 'nativeId', a.native_id,
              'primary', a.is_primary, 'linkedBy', a.linked_by)
              order by a.is_primary desc, a.linked_at, a.id)
            from account a where a.identity_id = identity.id), '[]')`;

type Key = { readonly name: string } | { readonly source: string; readonly account: string };

/** A person by name, or by one of their accounts. */
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
 * What the account of a source is called here: it may have been renamed there since, and another one may have its name.
 * @returns null when it is linked to nobody
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

/** An account that already belongs to somebody else is refused, never moved silently. */
export interface TakenAccount {
  readonly source: string;
  readonly name: string;
}

/**
 * Adds a person, or brings their attributes up to date; links the accounts named, and leaves the others alone.
 * @returns the accounts that are linked to somebody else; then nothing was changed
 */
export async function saveIdentity(
  db: Database,
  person: Person,
  links: readonly AccountLink[],
  linkedBy: LinkedBy,
  by: string,
): Promise<readonly TakenAccount[]> {
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
      const taken: TakenAccount[] = [];
      for (const link of links) {
        const linked = await linkAccount(trx, id, link, linkedBy, by);
        if (linked === null) taken.push({ source: link.source, name: link.name });
      }
      // Thrown, so that the transaction is rolled back.
      if (taken.length > 0) throw new AccountTaken(taken);
      await writeAudit(trx, { actor: by, action: 'identity.saved', subject: id });
      return [];
    })
    .catch((error: unknown) => {
      if (error instanceof AccountTaken) return error.accounts;
      throw error;
    });
}

class AccountTaken extends Error {
  readonly accounts: readonly TakenAccount[];
  constructor(accounts: readonly TakenAccount[]) {
    super('accounts are linked to somebody else');
    this.accounts = accounts;
  }
}

/** @returns the id of the account, or null when it belongs to somebody else */
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
 * The account stays in its source; its mappings go with the link.
 * @returns false when it is not linked to this person
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

/** The account is found under another name in its source. A name that is taken is left to its holder. */
export async function renameAccount(db: Database, accountId: string, name: string): Promise<void> {
  await sql`
    update account a set name = ${name}
    where id = ${accountId}
      and not exists (select from account b where b.source = a.source and b.name = ${name})`.execute(
    db,
  );
}
