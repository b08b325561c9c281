import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { sql } from 'kysely';
import { log } from '../../log';
import { fileError } from '../../start-errors';
import { createApiKeyIn, hasApiKeys } from '../../store/api-keys';
import type { Database } from '../../store/database';

const BOOTSTRAP_LOCK = 0x626f6f74;

/**
 * Creates the first admin key and writes it to `file`, if the database holds no API key at all. An operator uses it to
 * create the other keys.
 */
export async function ensureAdminKey(db: Database, file: string | undefined): Promise<void> {
  await db.transaction().execute(async (trx) => {
    // The lock makes sure that only one of several starting processes creates the key.
    await sql`select pg_advisory_xact_lock(${BOOTSTRAP_LOCK})`.execute(trx);
    if (await hasApiKeys(trx)) return;
    if (file === undefined)
      log.warn(
        'there is no API key yet: set LOCKSTEP_ADMIN_KEY_FILE and restart to create the first one',
      );
    else
      await writeAdminKey(trx, file).catch((error) => {
        throw fileError('LOCKSTEP_ADMIN_KEY_FILE', file, error);
      });
  });
}

async function writeAdminKey(db: Database, file: string): Promise<void> {
  const wanted = { name: 'first admin', scopes: ['admin' as const], groups: null, expiresAt: null };
  const keyId = await writeKeyFile(file, () => createApiKeyIn(db, wanted, 'lockstep'));
  log.info('wrote the first admin key to LOCKSTEP_ADMIN_KEY_FILE', { keyId });
}

/** Writes a new API key to a file that only this user can read. @returns the id of the key */
export async function writeKeyFile(
  file: string,
  create: () => Promise<{ readonly id: string; readonly key: string }>,
): Promise<string> {
  const draft = `${file}.draft`;
  // The file is opened before the key is created: a key that cannot be saved would be of no use.
  const handle = openSync(draft, 'w', 0o600);
  const { id, key } = await create();
  writeSync(handle, `${key}\n`);
  fsyncSync(handle);
  closeSync(handle);
  renameSync(draft, file);
  return id;
}
