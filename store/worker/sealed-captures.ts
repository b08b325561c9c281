import { sql } from 'kysely';
import type { Database } from '../database';

/** A capture that a relay has submitted and no worker has opened yet. */
export interface SealedCaptureRow {
  readonly id: number;
  readonly relay: string;
  readonly source: string;
  readonly apiKeyId: string;
  readonly epochId: string;
  readonly jwe: Buffer;
  /** When it is deleted, whatever became of it. */
  readonly expiresAt: Date;
  /** Time since the relay submitted it, in milliseconds. */
  readonly heldMs: number;
}

/**
 * Deletes and returns the oldest due capture of a relay on which no other worker is working: captures of one relay
 * are ingested in their order. The deletion takes effect when the transaction commits. Captures of a source whose
 * captures are stopped are left waiting.
 * @returns null when no capture is due
 */
export async function dequeueSealedCapture(trx: Database): Promise<SealedCaptureRow | null> {
  const { rows } = await sql<SealedCaptureRow>`
    with next as (
      select s.id from sealed_capture s
      where s.next_try_at <= now()
        and not exists (select from relay join capture_control c using (source)
                        where relay.id = s.relay_id and c.stopped_at is not null)
        and not exists (select from sealed_capture before where before.relay_id = s.relay_id and before.id < s.id)
      order by s.id limit 1 for update skip locked
    )
    delete from sealed_capture dequeued using next, relay r
    where dequeued.id = next.id and r.id = dequeued.relay_id
    returning dequeued.id, r.id as relay, r.source, r.api_key_id as "apiKeyId", dequeued.epoch_id as "epochId", dequeued.jwe,
              dequeued.expires_at as "expiresAt",
              (extract(epoch from now() - dequeued.received_at) * 1000)::float8 as "heldMs"`.execute(
    trx,
  );
  return rows[0] ?? null;
}

/** Makes a capture, and with it the later ones of its relay, due after this many seconds. */
export async function postponeCapture(db: Database, id: number, seconds: number): Promise<void> {
  await sql`
    update sealed_capture set next_try_at = now() + make_interval(secs => ${seconds})
    where id = ${id}`.execute(db);
}

/**
 * Deletes sealed captures that have expired (I9), each with an audit record.
 * @returns the source of each one
 */
export async function deleteExpiredCaptures(db: Database): Promise<readonly string[]> {
  const { rows } = await sql<{ source: string }>`
    with expired as (
      delete from sealed_capture using relay r
      where expires_at <= now() and r.id = relay_id returning r.id, r.source
    ), audited as (
      insert into audit (actor, action, subject, detail)
      select id, 'capture.expired', id, jsonb_build_object('source', source) from expired
    )
    select source from expired`.execute(db);
  return rows.map(({ source }) => source);
}
