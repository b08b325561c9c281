import { sql } from 'kysely';
import type { Naming } from '../../model/people/naming';
import type { Database } from '../database';
import { isNamed } from '../people/account-names';
import type { SealedCaptureRow } from './sealed-captures';

/** Captures of accounts that are linked to no person yet. They wait, sealed, for a link until they expire (I9). */

/** A sender that makes up account names cannot fill the database. */
const MOST_PER_SOURCE = 10_000;

interface Kept {
  readonly row: SealedCaptureRow;
  /** The name of the account in its source, in any spelling. */
  readonly account: string;
  readonly capturedAt: Date;
  readonly hours: number;
  readonly naming: Naming;
}

/**
 * Keeps a capture in place of an earlier one of the same account, with an audit record. It expires after these hours, or
 * when it would have expired as a capture of a relay.
 * @returns false if the account is linked, or too many captures of its source are kept; then nothing was stored
 */
export async function keepCapture(
  trx: Database,
  { row, account, capturedAt, hours, naming }: Kept,
): Promise<boolean> {
  const { rows } = await sql`
    with kept as (
      insert into kept_capture as earlier (source, account_key, relay_id, epoch_id, jwe, captured_at, expires_at)
      select ${row.source}, ${naming.canonicalName(account)}, ${row.relay}, ${row.epochId}, ${row.jwe},
             ${capturedAt}, least(now() + make_interval(hours => ${hours}), ${row.expiresAt}::timestamptz)
      where not exists (select from account where ${isNamed(row.source, naming, account)})
        and (select count(*) from kept_capture where source = ${row.source}) < ${MOST_PER_SOURCE}
      on conflict (source, account_key) do update
        set relay_id = excluded.relay_id, epoch_id = excluded.epoch_id, jwe = excluded.jwe,
            captured_at = excluded.captured_at, expires_at = excluded.expires_at
        where earlier.captured_at <= excluded.captured_at
      returning source
    )
    insert into audit (actor, action, subject, detail)
    select ${row.relay}, 'capture.kept', null,
           jsonb_build_object('source', source, 'account', ${account}::text, 'capturedAt', ${capturedAt.toISOString()}::text)
    from kept
    returning id`.execute(trx);
  return rows.length === 1;
}

/**
 * Gives the kept captures of accounts that are linked by now back to the captures that are to be ingested, which decide
 * by the usual rules.
 * @returns how many there were
 */
export async function requeueLinked(db: Database): Promise<number> {
  const { numAffectedRows } = await sql`
    with linked as (
      delete from kept_capture k using account a
      where a.source = k.source and a.name_key = k.account_key and k.expires_at > now()
      returning k.relay_id, k.epoch_id, k.jwe, k.captured_at, k.expires_at
    )
    insert into sealed_capture (relay_id, epoch_id, jwe, expires_at)
    select relay_id, epoch_id, jwe, expires_at from linked order by captured_at`.execute(db);
  return Number(numAffectedRows ?? 0n);
}

/**
 * Deletes kept captures that have expired, each with an audit record.
 * @returns the source of each one
 */
export async function deleteExpiredKept(db: Database): Promise<readonly string[]> {
  const { rows } = await sql<{ source: string }>`
    with expired as (
      delete from kept_capture where expires_at <= now() returning relay_id, source
    ), audited as (
      insert into audit (actor, action, subject, detail)
      select relay_id, 'capture.expired', relay_id, jsonb_build_object('source', source) from expired
    )
    select source from expired`.execute(db);
  return rows.map(({ source }) => source);
}
