import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { sql } from 'kysely';
import { writeAudit } from './audit';
import type { Database } from './database';
import { newId } from './ids';
import type { Scope } from './tables';

/**
 * An API key looks like `lks_<id>_<secret>`. The secret has 256 random bits, so a fast hash is enough to protect it
 * at rest. The database holds only that hash.
 */
const PREFIX = 'lks';

/** The API key that a request presented, and what it may do. */
export interface Caller {
  readonly keyId: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** The groups that the key is limited to; null: every group. */
  readonly groups: readonly string[] | null;
}

/**
 * Whether a caller may read a change. A key that is limited to groups sees each change in which at least one of them
 * has part.
 */
export const maySee = (
  { groups }: Caller,
  change: { readonly groups: readonly string[] },
): boolean => groups === null || change.groups.some((group) => groups.includes(group));

/**
 * Whether a caller may start or control a change. A key that is limited to groups may do so only when every group of
 * the change is among them.
 */
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

/**
 * Creates an API key and its audit record.
 * @returns the id of the key, and the key itself, which is shown only here: the database holds its hash
 */
export const createApiKey = (
  db: Database,
  wanted: NewApiKey,
  by: string,
): Promise<{ readonly id: string; readonly key: string }> =>
  db.transaction().execute((trx) => createApiKeyIn(trx, wanted, by));

/** Does the same as `createApiKey`, in the transaction of the caller. */
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

/**
 * Identifies the caller by the key that a request presented.
 * @returns null when the key is unknown, revoked or expired; a revoked key is rejected from the next request on
 */
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

/**
 * Reads a caller by the id of its key, for work that is done after the request, such as ingesting a relayed capture.
 * A key that has expired since then was valid when the request was made, so expiry is ignored here.
 * @returns null when there is no such key, or it was revoked
 */
export async function callerWithKey(db: Database, keyId: string): Promise<Caller | null> {
  const row = await db
    .selectFrom('api_key')
    .select(['id as keyId', 'name', 'scopes', 'groups'])
    .where('id', '=', keyId)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return row ?? null;
}

/** Records that a key was used, at most once a minute for each key, to keep the number of writes low. */
export async function noteUse(db: Database, keyId: string): Promise<void> {
  await sql`
    update api_key set last_used_at = now()
    where id = ${keyId} and (last_used_at is null or last_used_at < now() - interval '1 minute')`.execute(
    db,
  );
}

/** @returns false when there is no such key, or it was revoked before */
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
