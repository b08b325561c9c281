import { sql } from 'kysely';
import type { Database } from '../database';

/** What relays brought, until a worker has opened it. */
export interface SealedCaptureRow {
  readonly id: number;
  readonly relay: string;
  readonly source: string;
  readonly apiKeyId: string;
  readonly epochId: string;
  readonly jwe: Buffer;
  /** Since the relay brought it. */
  readonly heldMs: number;
}

/**
 * Takes the oldest of a relay that nobody else is at: what one relay brought is taken in in its order. It is gone when
 * the transaction commits, and stays when it does not. Those of a source whose captures are stopped wait.
 */
export async function takeSealedCapture(trx: Database): Promise<SealedCaptureRow | null> {
  const { rows } = await sql<SealedCaptureRow>`
    with next as (
      select s.id from sealed_capture s
      where s.next_try_at <= now()
        and not exists (select from relay join capture_control c using (source)
                        where relay.id = s.relay_id and c.stopped_at is not null)
        and not exists (select from sealed_capture before where before.relay_id = s.relay_id and before.id < s.id)
      order by s.id limit 1 for update skip locked
    )
    delete from sealed_capture taken using next, relay r
    where taken.id = next.id and r.id = taken.relay_id
    returning taken.id, r.id as relay, r.source, r.api_key_id as "apiKeyId", taken.epoch_id as "epochId", taken.jwe,
              (extract(epoch from now() - taken.received_at) * 1000)::float8 as "heldMs"`.execute(
    trx,
  );
  return rows[0] ?? null;
}

export async function putOff(db: Database, id: number, seconds: number): Promise<void> {
  await sql`
    update sealed_capture set next_try_at = now() + make_interval(secs => ${seconds})
    where id = ${id}`.execute(db);
}

/** I9: no sealed password outlives its expiry. @returns how many were too old */
export async function deleteExpiredCaptures(db: Database): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    with expired as (
      delete from sealed_capture using relay r
      where expires_at <= now() and r.id = relay_id returning r.id, r.source
    ), audited as (
      insert into audit (actor, action, subject, detail)
      select id, 'capture.expired', id, jsonb_build_object('source', source) from expired
    )
    select count(*)::int as count from expired`.execute(db);
  return rows[0]?.count ?? 0;
}
