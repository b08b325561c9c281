import { sql } from 'kysely';
import type { JsonWebKey } from '../../sealing/published-key';
import { createApiKeyIn, revokeApiKeyIn } from '../api-keys';
import { writeAudit } from '../audit';
import type { Database } from '../database';
import { newId } from '../ids';

/**
 * A relay: the process that captures password changes of a source and submits them. `publicKey` verifies the
 * signatures of its batches.
 */
export interface Relay {
  readonly id: string;
  readonly source: string;
  readonly publicKey: JsonWebKey;
}

/**
 * Registers a relay, with an API key of its own.
 * @param oneTimeKey the API key that is used up by this registration; null for a key that may register several
 * @returns the id of the relay, and the API key, which is shown only here: the database holds its hash; null when the
 *   one-time key was used in the meantime
 */
export async function createRelay(
  db: Database,
  { source, publicKey }: Omit<Relay, 'id'>,
  by: string,
  oneTimeKey: string | null = null,
): Promise<{ readonly id: string; readonly key: string } | null> {
  const id = newId('rly');
  return db.transaction().execute(async (trx) => {
    if (oneTimeKey !== null && !(await revokeApiKeyIn(trx, oneTimeKey, by))) return null;
    const wanted = { name: id, scopes: ['relay' as const], groups: null, expiresAt: null };
    const made = await createApiKeyIn(trx, wanted, by);
    await trx
      .insertInto('relay')
      .values({ id, source, api_key_id: made.id, public_key: JSON.stringify(publicKey) })
      .execute();
    await writeAudit(trx, { actor: by, action: 'relay.created', subject: id, detail: { source } });
    return { id, key: made.key };
  });
}

/** Reads the relay that an API key belongs to; null when the key is not that of a relay. */
export async function relayOf(db: Database, apiKeyId: string): Promise<Relay | null> {
  const row = await db
    .selectFrom('relay')
    .select(['id', 'source', 'public_key as publicKey'])
    .where('api_key_id', '=', apiKeyId)
    .executeTakeFirst();
  return row ?? null;
}

/** A relay as operators see it. Most fields are from its last request, and null before the first. */
export interface RelayView {
  readonly id: string;
  readonly source: string;
  readonly createdAt: Date;
  readonly revokedAt: Date | null;
  readonly heardAt: Date | null;
  /** Time since its last request, in milliseconds. */
  readonly silentMs: number | null;
  readonly version: string | null;
  /** Captures that wait on the machine of the relay, and when the oldest was captured. */
  readonly backlog: number;
  readonly oldestAt: Date | null;
  /** Damaged spool segments that the relay has set apart. */
  readonly quarantined: number;
  readonly clockAheadMs: number | null;
  /** Sequence by which the source names the last ingested change. */
  readonly sequence: string | null;
  readonly host: string | null;
  readonly covers: 'host' | 'source';
  /** Number of the startpoint that it applied last; null for a relay that reads no source. */
  readonly startpointApplied: number | null;
  /** Why it cannot read its source; null when it can, or reads no source. */
  readonly trouble: string | null;
  /** How often the source had trimmed changes before the relay read them. */
  readonly missed: number;
  /** Records that were stored, and records that will never arrive or cannot be opened. */
  readonly received: number;
  readonly lost: number;
  /** Captures that were submitted and that no worker has ingested yet. */
  readonly open: number;
}

/** Lists relays by source. A relay whose key was revoked is listed until its last capture is ingested. */
export async function listRelays(db: Database): Promise<RelayView[]> {
  const { rows } = await sql<RelayView>`
    select r.id, r.source, r.created_at as "createdAt", k.revoked_at as "revokedAt", r.heard_at as "heardAt",
           extract(epoch from now() - r.heard_at)::float8 * 1000 as "silentMs",
           r.version, r.backlog, r.oldest_at as "oldestAt", r.quarantined,
           r.clock_ahead_ms as "clockAheadMs", r.source_sequence as sequence, r.host, r.covers,
           r.startpoint_applied as "startpointApplied", r.trouble, r.missed, r.received, r.lost, o.open
    from relay r join api_key k on k.id = r.api_key_id
    cross join lateral (select count(*)::int as open from sealed_capture where relay_id = r.id) o
    where k.revoked_at is null or o.open > 0
    order by r.source, r.id`.execute(db);
  return rows;
}
