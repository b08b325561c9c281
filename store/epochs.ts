import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { sql } from 'kysely';
import { writeAudit } from './audit';
import type { Database } from './database';
import { newId } from './ids';
import type { KeyStore } from './keys/key-store';
import { type SealingKey, sealingKey } from './sealing';
import type { JsonWebKey } from './tables';

/**
 * An epoch is a key pair that passwords are sealed to for a day. The worker makes it, signs its public half, and destroys the
 * private half once nothing can need it; then every copy of what was sealed in it, in backups and in the write-ahead log,
 * is unreadable.
 */
const OVERLAP = '1 hour';
const EPOCH_LOCK = 0x65706f63;

/** Makes the next epoch when the newest one is about to end. Any worker may call it at any time. */
export async function ensureEpoch(db: Database, keys: KeyStore, hours: number): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(${EPOCH_LOCK})`.execute(trx);
    const { rows } = await sql<{ fresh: boolean; until: Date }>`
      select exists (select from epoch where seal_until > now() + ${OVERLAP}::interval and destroyed_at is null) as fresh,
             date_trunc('milliseconds', now() + make_interval(secs => ${hours * 3600}) + ${OVERLAP}::interval) as until`.execute(
      trx,
    );
    const [row] = rows;
    if (row === undefined || row.fresh) return;
    const id = newId('ep');
    const publicKey = await keys.createEpochKey(id);
    const signature = await keys.sign(signedText(id, publicKey, row.until));
    await trx
      .insertInto('epoch')
      .values({
        id,
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
 * @returns the epochs that were destroyed
 */
export async function destroyEndedEpochs(db: Database, keys: KeyStore): Promise<string[]> {
  const ended = await sql<{ id: string }>`
    select id from epoch
    where destroyed_at is null and seal_until < now() - interval '10 minutes'
      and not exists (select from sealed_secret where epoch_id = epoch.id)`.execute(db);
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

/**
 * The key to seal to now, checked against the key that signs epochs: whoever can write to the database still cannot have
 * passwords sealed to a key of his own.
 * @returns null when no worker has published one, or none is signed by `signer`
 */
export async function currentEpoch(
  db: Database,
  signer: KeyObject,
): Promise<{ readonly key: SealingKey; readonly sealUntil: Date } | null> {
  const rows = await db
    .selectFrom('epoch')
    .select(['id', 'public_key', 'signature', 'seal_until'])
    .where('destroyed_at', 'is', null)
    .where('seal_until', '>', sql<Date>`now()`)
    .orderBy('created_at', 'desc')
    .execute();
  const trusted = rows.find((row) =>
    verify(
      null,
      signedText(row.id, row.public_key, row.seal_until),
      signer,
      Buffer.from(row.signature, 'base64url'),
    ),
  );
  if (trusted === undefined) return null;
  return { key: await sealingKey(trusted.id, trusted.public_key), sealUntil: trusted.seal_until };
}

/** @param jwk the content of `signer.pub.json` */
export const signerKey = (jwk: JsonWebKey): KeyObject =>
  createPublicKey({ key: { ...jwk }, format: 'jwk' });

const signedText = (id: string, key: JsonWebKey, until: Date): Buffer =>
  Buffer.from(`lockstep-epoch\n${id}\n${key.crv}\n${key.x}\n${until.toISOString()}`);
