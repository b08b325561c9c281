import { sql } from 'kysely';
import { type Database, withTransaction } from '../database';
import { lockLinks, releaseDuplicates } from './links';

/** The notices of leavers name this many people. */
const NAMED = 20;

interface Leaving {
  readonly source: string;
  /** Links whose account is missing in a complete list. */
  readonly accountIds: readonly string[];
  readonly by: string;
  /** Whether the source authenticates the people of a group, so that they have left, not just lost an account. */
  readonly isAuthSource: boolean;
  /** Days after which a missing account is unlinked; null: never. */
  readonly unlinkAfterDays: number | null;
}

/** Reads which of these links were missing in an earlier list already. */
export async function readMissing(
  db: Database,
  source: string,
): Promise<ReadonlyMap<string, Date>> {
  const { rows } = await sql<{ id: string; since: Date }>`
    select id, missing_since as since from account
    where source = ${source} and missing_since is not null`.execute(db);
  return new Map(rows.map(({ id, since }) => [id, since]));
}

/** Part of a statement: one notice to the operators about all accounts of a CTE. */
const leaverNotice = (
  kind: 'accounts_missing' | 'accounts_returned' | 'accounts_unlinked',
  accounts: string,
  { source, isAuthSource, unlinkAfterDays }: Omit<Leaving, 'accountIds' | 'by'>,
) => sql`
  insert into notice (kind, subject, detail)
  select ${kind}, ${source}::text,
         jsonb_strip_nulls(jsonb_build_object(
           'count', count(*), 'left', ${isAuthSource}::boolean,
           'names', (array_agg(i.name order by i.name))[1:${sql.lit(NAMED)}],
           'endsAt', now() + make_interval(days => ${unlinkAfterDays}::int)))
  from ${sql.ref(accounts)} a join identity i on i.id = a.identity_id
  having count(*) > 0`;

/** Records since when accounts are missing. An account that was missing before keeps its time. */
export async function markMissing(db: Database, leaving: Leaving): Promise<void> {
  if (leaving.accountIds.length === 0) return;
  await sql`
    with missing as (
      update account set missing_since = now()
      where id = any(${[...leaving.accountIds]}::text[]) and missing_since is null
      returning id, identity_id
    ), audited as (
      insert into audit (actor, action, subject, detail)
      select ${leaving.by}, 'account.missing', id,
             jsonb_build_object('source', ${leaving.source}::text, 'identity', identity_id) from missing
    )
    ${leaverNotice('accounts_missing', 'missing', leaving)}`.execute(db);
}

/** Ends the grace period of accounts that the source lists again. */
export async function markReturned(db: Database, returned: Leaving): Promise<void> {
  if (returned.accountIds.length === 0) return;
  await sql`
    with returned as (
      update account set missing_since = null
      where id = any(${[...returned.accountIds]}::text[]) and missing_since is not null
      returning id, identity_id
    ), audited as (
      insert into audit (actor, action, subject, detail)
      select ${returned.by}, 'account.returned', id,
             jsonb_build_object('source', ${returned.source}::text, 'identity', identity_id) from returned
    )
    ${leaverNotice('accounts_returned', 'returned', { ...returned, unlinkAfterDays: null })}`.execute(
    db,
  );
}

/**
 * Unlinks those of these missing accounts whose grace period is over. Their stored credentials are deleted with the
 * link; the accounts and the people stay.
 * @returns the ids of the links
 */
export async function unlinkLeavers(db: Database, leaving: Leaving): Promise<string[]> {
  const { source, accountIds, by, unlinkAfterDays } = leaving;
  if (unlinkAfterDays === null || accountIds.length === 0) return [];
  return withTransaction(db, async (trx) => {
    await lockLinks(trx, source);
    const { rows } = await sql<{ id: string }>`
      with unlinked as (
        delete from account
        where id = any(${[...accountIds]}::text[])
          and missing_since <= now() - make_interval(days => ${unlinkAfterDays})
        returning id, name, identity_id
      ), audited as (
        insert into audit (actor, action, subject, detail)
        select ${by}, 'account.unlinked', id,
               jsonb_build_object('source', ${source}::text, 'account', name, 'identity', identity_id, 'left', true)
        from unlinked
      ), noticed as (
        ${leaverNotice('accounts_unlinked', 'unlinked', { ...leaving, unlinkAfterDays: null })}
      )
      select id from unlinked`.execute(trx);
    await releaseDuplicates(trx, source);
    return rows.map(({ id }) => id);
  });
}

/** Reports a list that lost too many accounts: in the audit each time, to the operators once a day. */
export async function noteSuspiciousList(
  db: Database,
  { source, by, lost, linked }: { source: string; by: string; lost: number; linked: number },
): Promise<void> {
  await sql`
    with audited as (
      insert into audit (actor, action, subject, detail)
      values (${by}, 'source.list-suspicious', ${source}::text,
              jsonb_build_object('lost', ${lost}::int, 'linked', ${linked}::int))
    )
    insert into notice (kind, key, subject, detail)
    values ('list_suspicious',
            'list_suspicious:' || ${source}::text || ':' || to_char(now() at time zone 'utc', 'YYYY-MM-DD'),
            ${source}::text, jsonb_build_object('count', ${lost}::int))
    on conflict (key) do nothing`.execute(db);
}
