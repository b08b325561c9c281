import { sql } from 'kysely';
import { type KeyPurpose, signedText } from '../../sealing/published-key';
import { writeAudit } from '../audit';
import type { Database } from '../database';
import { newId } from '../ids';
import type { KeyStore } from './keys/key-store';

/** A new epoch is made this long before the newest one ends, so that there is always a key to seal to. */
const OVERLAP = '1 hour';

/**
 * The private key of an epoch that relays seal to is kept for this many hours after its end. A relay may be
 * disconnected for that long, and its captures can still be opened.
 */
export const CAPTURE_KEY_HOURS = 7 * 24;

/** Key of the advisory lock under which epochs are made. */
const EPOCH_LOCK = 0x65706f63;

/**
 * Makes the next epoch of a purpose when the newest one is about to end. Any worker may call it at any time; only one
 * makes the epoch.
 *
 * An epoch is a key pair that passwords are sealed to for about a day. The worker makes it, signs its public half,
 * and destroys the private half once it is no longer needed. From then on every copy of what was sealed to it, in
 * backups and in the write-ahead log, is unreadable. Relays seal to epochs of their own, of the purpose `capture`:
 * the worker cannot see which captures still wait on the machine of a relay, so their private keys are kept longer.
 * @param hours how long passwords are sealed to the epoch
 */
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
 * Destroys the private keys of epochs that have ended and to which nothing in the database is sealed any more.
 * @param captureHours for how long after its end the key of an epoch that relays seal to is kept
 * @returns the ids of the epochs whose keys were destroyed
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
      and not exists (select from sealed_capture where epoch_id = epoch.id)
      and not exists (select from kept_capture where epoch_id = epoch.id)`.execute(db);
  for (const { id } of ended.rows) {
    // The key is destroyed first, so that a row marked as destroyed is always true.
    await keys.destroyEpochKey(id);
    await db.transaction().execute(async (trx) => {
      await sql`update epoch set destroyed_at = now() where id = ${id}`.execute(trx);
      await writeAudit(trx, { actor: 'worker', action: 'epoch.destroyed', subject: id });
    });
  }
  return ended.rows.map(({ id }) => id);
}
