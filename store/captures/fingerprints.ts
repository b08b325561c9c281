import { sql } from 'kysely';
import { DAMPING_MS, type Declined } from '../../model/captures/capture';
import { endedInVain } from '../../model/change/change';
import type { ErrorCode } from '../../model/errors';
import type { Database } from '../database';

/** What a captured password is compared with, by fingerprints. They never leave the api. */
export interface Rivals {
  /** The newest change of the person in these groups, unless it ended in vain. */
  readonly latest: RememberedPassword | null;
  /** What we wrote to the account, or know to have been changed there, the newest first. As far as it is remembered. */
  readonly held: readonly (RememberedPassword & { readonly native: boolean })[];
}

export interface RememberedPassword {
  /** When it was asked for or captured; of one that was written, when we were done with it. */
  readonly at: Date;
  readonly fingerprints: readonly Buffer[] | null;
}

export async function readRivals(
  db: Database,
  identityId: string,
  accountId: string,
  groups: readonly string[],
): Promise<Rivals> {
  const [latest, held] = await Promise.all([
    sql<RememberedPassword>`
      select coalesce(captured_at, created_at) as at, password_fingerprints as fingerprints from change
      where identity_id = ${identityId} and groups && ${[...groups]}::text[]
        and state <> all(${[...endedInVain]}::text[])
      order by seq desc limit 1`.execute(db),
    sql<Rivals['held'][number]>`
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

/** A capture that started nothing. An account that nobody is linked to is not named. */
export async function auditCapture(
  db: Database,
  capture: { readonly source: string; readonly account: string; readonly capturedAt: Date | null },
  result: Declined | ErrorCode | 'not_attested',
  by: string,
): Promise<void> {
  await sql`
    insert into audit (actor, action, subject, detail)
    values (${by}, ${`capture.${result}`},
            (select id from account where source = ${capture.source} and name = ${capture.account}),
            jsonb_build_object('source', ${capture.source}::text,
                               'capturedAt', ${capture.capturedAt?.toISOString() ?? null}::text))`.execute(
    db,
  );
}

/**
 * Forgets the fingerprints of what can come back in no capture any more: those are refused at the age at which the change
 * itself would have been given up.
 * @returns of how many changes
 */
export async function forgetFingerprints(db: Database): Promise<number> {
  const { numAffectedRows } = await sql`
    update change set password_fingerprints = null
    where password_fingerprints is not null
      and ended_at < now() - (expires_at - coalesce(captured_at, created_at))
                         - make_interval(secs => ${DAMPING_MS / 1000})`.execute(db);
  return Number(numAffectedRows ?? 0n);
}
