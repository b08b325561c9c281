import { sql } from 'kysely';
import { type KeyPurpose, signedText } from '../../sealing/published-key';
import { writeAudit } from '../audit';
import type { Database } from '../database';
import { newId } from '../ids';
import type { KeyStore } from './keys/key-store';

/**
 * An epoch is a key pair that passwords are sealed to for a day. The worker makes it, signs its public half, and destroys the
 * private half once nothing can need it; then every copy of what was sealed in it, in backups and in the write-ahead log,
 * is unreadable. What relays seal to has epochs of its own: whoever made it cannot see what still waits beside a source,
 * so their keys are kept longer.
 */
const OVERLAP = '1 hour';

/** So long a relay may be cut off from us, and still be understood. */
export const CAPTURE_KEY_HOURS = 7 * 24;

const EPOCH_LOCK = 0x65706f63;

/** Makes the next epoch when the newest one is about to end. Any worker may call it at any time. */
export async function ensureEpoch(
  db: Database,
  keys: KeyStore,
  hours: number,
  purpose: KeyPurpose = 'change',
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(${EPOCH_LOCK})`.execute(trx);
    const { rows } = await sql<{ fresh: boolean; until: Date }>`
      select exists (select from epoch where purpose = ${purpose} and seal_until > now() + ${OVERLAP}::interval
                                         and destroyed_at is null) as fresh,
             date_trunc('milliseconds', now() + make_interval(secs => ${hours * 3600}) + ${OVERLAP}::interval) as until`.execute(
      trx,
    );
    const [row] = rows;
    if (row === undefined || row.fresh) return;
    const id = newId('ep');
    const publicKey = await keys.createEpochKey(id);
    const signature = await keys.sign(signedText(purpose, { id, publicKey, sealUntil: row.until }));
    await trx
      .insertInto('epoch')
      .values({
        id,
        purpose,
        public_key: JSON.stringify(publicKey),
        signature,
        seal_until: row.until,
      })
      .execute();
    await writeAudit(trx, { actor: 'worker', action: 'epoch.created', subject: id });
  });
}

/**
 * Destroys the private keys of epochs that have ended and to which nothing is sealed any more.
 * @param captureHours so long those that relays seal to are kept after they have ended
 * @returns the epochs that were destroyed
 */
export async function destroyEndedEpochs(
  db: Database,
  keys: KeyStore,
  captureHours = CAPTURE_KEY_HOURS,
): Promise<string[]> {
  const ended = await sql<{ id: string }>`
    select id from epoch
    where destroyed_at is null
      and seal_until < now() - case purpose when 'capture' then make_interval(secs => ${captureHours * 3600})
                                            else interval '10 minutes' end
      and not exists (select from sealed_secret where epoch_id = epoch.id)
      and not exists (select from sealed_capture where epoch_id = epoch.id)`.execute(db);
  for (const { id } of ended.rows) {
    // The key first: a row that says "destroyed" must never be wrong.
    await keys.destroyEpochKey(id);
    await db.transaction().execute(async (trx) => {
      await sql`update epoch set destroyed_at = now() where id = ${id}`.execute(trx);
      await writeAudit(trx, { actor: 'worker', action: 'epoch.destroyed', subject: id });
    });
  }
  return ended.rows.map(({ id }) => id);
}
