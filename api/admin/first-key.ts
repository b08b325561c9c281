import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { sql } from 'kysely';
import { log } from '../../log';
import { createApiKey, hasApiKeys } from '../../store/api-keys';
import type { Database } from '../../store/database';

const BOOTSTRAP_LOCK = 0x626f6f74;

/** Writes a first admin key to `file` when there is no key at all: somebody must be able to make the others. */
export async function ensureAdminKey(db: Database, file: string | undefined): Promise<void> {
  await db.connection().execute(async (connection) => {
    // Of several processes that start at once, one makes it.
    await sql`select pg_advisory_lock(${BOOTSTRAP_LOCK})`.execute(connection);
    try {
      if (await hasApiKeys(connection)) return;
      if (file === undefined)
        log.warn('there is no API key yet, and LOCKSTEP_ADMIN_KEY_FILE is not set');
      else await writeAdminKey(connection, file);
    } finally {
      await sql`select pg_advisory_unlock(${BOOTSTRAP_LOCK})`.execute(connection);
    }
  });
}

async function writeAdminKey(db: Database, file: string): Promise<void> {
  const draft = `${file}.draft`;
  // Opened before the key is made: one that cannot be written down would lock everybody out.
  const handle = openSync(draft, 'w', 0o600);
  const wanted = { name: 'first admin', scopes: ['admin' as const], groups: null, expiresAt: null };
  const { id, key } = await createApiKey(db, wanted, 'lockstep');
  writeSync(handle, `${key}\n`);
  fsyncSync(handle);
  closeSync(handle);
  renameSync(draft, file);
  log.info('wrote the first admin key to LOCKSTEP_ADMIN_KEY_FILE', { keyId: id });
}
