import { sql } from 'kysely';
import { DAMPING_MS, type Declined } from '../../model/captures/capture';
import { leavesAccountDifferent } from '../../model/captures/without-effect';
import { endedInVain } from '../../model/change/change';
import type { ErrorCode } from '../../model/errors';
import type { Naming } from '../../model/people/naming';
import type { Database } from '../database';
import { isNamed } from '../people/account-names';
import { rememberDeclined } from './without-effect';

/**
 * The earlier passwords that a captured one is compared with, by their fingerprints. They are never sent to a client.
 */
export interface RememberedPasswords {
  /** The newest change of the person in these groups, except those that ended without effect. */
  readonly latest: RememberedPassword | null;
  /**
   * Passwords that Lockstep wrote to the account, and those captured there (`native`), the newest first. It holds
   * only those that are still remembered.
   */
  readonly held: readonly (RememberedPassword & { readonly native: boolean })[];
}

export interface RememberedPassword {
  /** When the change was requested or captured; for a password that Lockstep wrote, when that write was over. */
  readonly at: Date;
  readonly fingerprints: readonly Buffer[] | null;
}

/**
 * Reads the earlier passwords of a person that a capture in this account is compared with.
 * @param ofAccountOnly true ignores changes that do not include the account
 */
export async function readRememberedPasswords(
  db: Database,
  identityId: string,
  accountId: string,
  groups: readonly string[],
  ofAccountOnly = false,
): Promise<RememberedPasswords> {
  // A partial change says nothing about the other accounts of the person.
  const concerned = ofAccountOnly
    ? sql`(planned_at is null or exists (
        select from outcome o where o.change_id = change.id and o.account_id = ${accountId}
          and o.state <> 'not_applicable'))`
    : sql`true`;
  const [latest, held] = await Promise.all([
    sql<RememberedPassword>`
      select coalesce(captured_at, created_at) as at, password_fingerprints as fingerprints from change
      where identity_id = ${identityId} and groups && ${[...groups]}::text[]
        and (not partial or origin_account_id = ${accountId}) and ${concerned}
        and state <> all(${[...endedInVain]}::text[])
      order by seq desc limit 1`.execute(db),
    sql<RememberedPasswords['held'][number]>`
      select case when o.reason = 'origin' then c.captured_at else o.updated_at end as at,
             o.reason is not distinct from 'origin' as native, c.password_fingerprints as fingerprints
      from change c join outcome o on o.change_id = c.id
      where c.identity_id = ${identityId} and o.account_id = ${accountId}
        and c.password_fingerprints is not null
        and (o.reason = 'origin' or o.attempts > 0 and (o.state in ('applied', 'applying') or o.in_doubt))
      order by c.seq desc`.execute(db),
  ]);
  return { latest: latest.rows[0] ?? null, held: held.rows };
}

/**
 * Records a capture that started no change. The account is named only when one link names it, in any spelling. If the
 * account now differs from the others of its person, that is remembered with the account.
 */
export async function auditCapture(
  db: Database,
  capture: { readonly source: string; readonly account: string; readonly capturedAt: Date | null },
  result: Declined | ErrorCode | 'not_attested',
  by: string,
  naming: Naming,
): Promise<void> {
  const at = capture.capturedAt;
  const remembered =
    at !== null && leavesAccountDifferent(result)
      ? sql`, remembered as (${rememberDeclined(sql`captured`, { reason: result, at })}), ${flagCredentials(at, by)}`
      : sql``;
  await sql`
    with captured as (
      select id, identity_id from account
      where ${isNamed(capture.source, naming, capture.account)} and problem is distinct from 'linked_twice'
    )${remembered}
    insert into audit (actor, action, subject, detail)
    values (${by}, ${`capture.${result}`}, (select id from captured),
            jsonb_strip_nulls(jsonb_build_object(
              'source', ${capture.source}::text, 'capturedAt', ${at?.toISOString() ?? null}::text,
              'identity', (select identity_id from captured))))`.execute(db);
}

/**
 * Parts of a statement: the credentials that were stored before the account in CTE `captured` got another password in its
 * source are no longer the password of the account.
 */
const flagCredentials = (at: Date, by: string) => sql`
  flagged as (
    update mapping m set state = 'out_of_sync', reason = 'capture_refused', updated_at = now()
    from captured
    where m.account_id = captured.id and m.identity_id = captured.identity_id and m.sealed is not null
      and m.updated_at <= ${at}::timestamptz and m.reason is distinct from 'capture_refused'
    returning m.id, m.reason
  ), audited as (
    insert into audit (actor, action, subject, detail)
    select ${by}, 'mapping.flagged', id, jsonb_build_object('reason', reason) from flagged
  )`;

/**
 * Forgets the passwords of ended changes of everyone who has an account in these sources, so that an identical capture
 * counts as a new change.
 * @returns the number of changes whose fingerprints were deleted
 */
export async function resetHistory(
  db: Database,
  sources: readonly string[],
  by: string,
): Promise<number> {
  const { rows } = await sql<{ changes: number }>`
    with forgotten as (
      update change set password_fingerprints = null
      where password_fingerprints is not null and ended_at is not null
        and identity_id in (select identity_id from account where source = any(${[...sources]}::text[]))
      returning id
    ), audited as (
      insert into audit (actor, action, subject)
      select ${by}, 'captures.reset', source from unnest(${[...sources]}::text[]) as source
    )
    select count(*)::int as changes from forgotten`.execute(db);
  return rows[0]?.changes ?? 0;
}

/**
 * Deletes the fingerprints of changes that no accepted capture can repeat any more: a capture is rejected at the age
 * at which the change itself would have expired.
 * @returns the number of changes whose fingerprints were deleted
 */
export async function forgetFingerprints(db: Database): Promise<number> {
  const { numAffectedRows } = await sql`
    update change set password_fingerprints = null
    where password_fingerprints is not null
      and ended_at < now() - (expires_at - coalesce(captured_at, created_at))
                         - make_interval(secs => ${DAMPING_MS / 1000})`.execute(db);
  return Number(numAffectedRows ?? 0n);
}
