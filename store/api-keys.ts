import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { sql } from 'kysely';
import { writeAudit } from './audit';
import type { Database } from './database';
import { newId } from './ids';
import type { Scope } from './tables';

/**
 * API keys look like `lks_<id>_<secret>`. The secret has 256 random bits, so a fast hash at rest is enough; only the hash is
 * kept.
 */
const PREFIX = 'lks';

export interface Caller {
  readonly keyId: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Null: every group. */
  readonly groups: readonly string[] | null;
}

/** A key that is bound to groups sees what any of them has part in. */
export const maySee = (
  { groups }: Caller,
  change: { readonly groups: readonly string[] },
): boolean => groups === null || change.groups.some((group) => groups.includes(group));

/** It touches only what they have for themselves. */
export const mayTouch = (
  { groups }: Caller,
  change: { readonly groups: readonly string[] },
): boolean => groups === null || change.groups.every((group) => groups.includes(group));

export interface ApiKeyView {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly groups: readonly string[] | null;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  readonly lastUsedAt: Date | null;
}

export interface NewApiKey {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly groups: readonly string[] | null;
  readonly expiresAt: Date | null;
}

/** @returns the key itself, which nobody can read again */
export const createApiKey = (
  db: Database,
  wanted: NewApiKey,
  by: string,
): Promise<{ readonly id: string; readonly key: string }> =>
  db.transaction().execute((trx) => createApiKeyIn(trx, wanted, by));

export async function createApiKeyIn(
  trx: Database,
  wanted: NewApiKey,
  by: string,
): Promise<{ readonly id: string; readonly key: string }> {
  const id = newId('key');
  const secret = randomBytes(32).toString('base64url');
  await trx
    .insertInto('api_key')
    .values({
      id,
      name: wanted.name,
      hash: hashOf(secret),
      scopes: [...wanted.scopes],
      groups: wanted.groups === null ? null : [...wanted.groups],
      created_by: by,
      expires_at: wanted.expiresAt,
    })
    .execute();
  await writeAudit(trx, {
    actor: by,
    action: 'api-key.created',
    subject: id,
    detail: { name: wanted.name, scopes: wanted.scopes.join(' ') },
  });
  return { id, key: `${PREFIX}_${id.replace('key_', '')}_${secret}` };
}

/** Who sends this key; null for one that is unknown, revoked or too old. Revoking acts at the next request. */
export async function callerOf(db: Database, presented: string): Promise<Caller | null> {
  const [, id, secret] = /^lks_([0-9a-z]{26})_([\w-]{43})$/.exec(presented) ?? [];
  if (id === undefined || secret === undefined) return null;
  const row = await db
    .selectFrom('api_key')
    .select(['id', 'name', 'hash', 'scopes', 'groups'])
    .where('id', '=', `key_${id}`)
    .where('revoked_at', 'is', null)
    .where((where) =>
      where.or([where('expires_at', 'is', null), where('expires_at', '>', sql<Date>`now()`)]),
    )
    .executeTakeFirst();
  if (row === undefined || !timingSafeEqual(row.hash, hashOf(secret))) return null;
  return { keyId: row.id, name: row.name, scopes: row.scopes, groups: row.groups };
}

/** Who has this key; null for one that was revoked. One that expired meanwhile was good when it asked. */
export async function callerWithKey(db: Database, keyId: string): Promise<Caller | null> {
  const row = await db
    .selectFrom('api_key')
    .select(['id as keyId', 'name', 'scopes', 'groups'])
    .where('id', '=', keyId)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return row ?? null;
}

/** At most once a minute for each key, so that it costs nothing. */
export async function noteUse(db: Database, keyId: string): Promise<void> {
  await sql`
    update api_key set last_used_at = now()
    where id = ${keyId} and (last_used_at is null or last_used_at < now() - interval '1 minute')`.execute(
    db,
  );
}

export async function revokeApiKey(db: Database, id: string, by: string): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    const revoked = await trx
      .updateTable('api_key')
      .set({ revoked_at: sql<Date>`now()` })
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .returning('id')
      .executeTakeFirst();
    if (revoked === undefined) return false;
    await writeAudit(trx, { actor: by, action: 'api-key.revoked', subject: id });
    return true;
  });
}

export async function listApiKeys(db: Database): Promise<ApiKeyView[]> {
  return db
    .selectFrom('api_key')
    .select([
      'id',
      'name',
      'scopes',
      'groups',
      'created_at as createdAt',
      'expires_at as expiresAt',
    ])
    .select(['revoked_at as revokedAt', 'last_used_at as lastUsedAt'])
    .orderBy('created_at')
    .execute();
}

export async function hasApiKeys(db: Database): Promise<boolean> {
  const row = await db.selectFrom('api_key').select('id').limit(1).executeTakeFirst();
  return row !== undefined;
}

const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();
