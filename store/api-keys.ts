import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { sql } from 'kysely';
import type { Scope } from '../model/api/scopes';
import { writeAudit } from './audit';
import type { Database } from './database';
import { newId } from './ids';
import { channels } from './notifications';

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
  /** The only source for which the key may register a relay, or be its adapter; null for other keys. */
  readonly source: string | null;
  /** The only person whom the key may act for; null: not bound to a person. */
  readonly identityId: string | null;
  /** The secret that was presented, as its hash in hexadecimal; null for work that is done after the request. */
  readonly secretHash: string | null;
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
  readonly agent: string | null;
  readonly source: string | null;
  /** The name of the person that the key is bound to. */
  readonly identity: string | null;
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
  /** Who uses the key. Changes and audit records then name the agent. */
  readonly agent?: string | null;
  /** The only source for which the key may register a relay, or be its adapter. */
  readonly source?: string | null;
  /** The id of the only person whom the key may act for. */
  readonly identityId?: string | null;
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
      agent: wanted.agent ?? null,
      source: wanted.source ?? null,
      identity_id: wanted.identityId ?? null,
    })
    .execute();
  await writeAudit(trx, {
    actor: by,
    action: 'api-key.created',
    subject: id,
    detail: {
      name: wanted.name,
      scopes: wanted.scopes.join(' '),
      ...(wanted.agent && { agent: wanted.agent }),
      ...(wanted.source && { source: wanted.source }),
      ...(wanted.identityId && { identity: wanted.identityId }),
    },
  });
  return { id, key: keyText(id, secret) };
}

const keyText = (id: string, secret: string): string =>
  `${PREFIX}_${id.replace('key_', '')}_${secret}`;

/**
 * Gives a key a new secret. Its id, rights and waiting changes stay. The previous secret is accepted for `keepSeconds`,
 * so that the new one can be put in place; a secret from an earlier rotation is not.
 * @returns null when there is no such key, or it was revoked or has expired
 */
export async function rotateApiKey(
  db: Database,
  id: string,
  keepSeconds: number,
  by: string,
): Promise<{ readonly id: string; readonly key: string; readonly previousUntil: Date } | null> {
  const secret = randomBytes(32).toString('base64url');
  return db.transaction().execute(async (trx) => {
    const { rows } = await sql<{ previousUntil: Date }>`
      update api_key
      set previous_hash = hash, hash = ${hashOf(secret)},
          previous_until = now() + make_interval(secs => ${keepSeconds}::float8)
      where id = ${id} and revoked_at is null and (expires_at is null or expires_at > now())
        and issuer is null and not 'relay' = any(scopes)
      returning previous_until as "previousUntil"`.execute(trx);
    const [rotated] = rows;
    if (rotated === undefined) return null;
    await writeAudit(trx, { actor: by, action: 'api-key.rotated', subject: id });
    await notifyKey(trx, id);
    return { id, key: keyText(id, secret), ...rotated };
  });
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
    .select(['id', 'hash', ...ofCaller])
    .select(acceptedPrevious)
    .where('id', '=', `key_${id}`)
    .where('revoked_at', 'is', null)
    .where((where) =>
      where.or([where('expires_at', 'is', null), where('expires_at', '>', sql<Date>`now()`)]),
    )
    .executeTakeFirst();
  if (row === undefined) return null;
  const { id: keyId, hash, previous, ...rest } = row;
  const shown = hashOf(secret);
  const isCurrent = timingSafeEqual(hash, shown);
  // Both are compared, so that the time does not show which one matches.
  const isPrevious = timingSafeEqual(previous ?? hash, shown) && previous !== null;
  return isCurrent || isPrevious ? { keyId, ...rest, secretHash: shown.toString('hex') } : null;
}

/** What a caller has of its key: the name is the one under which the key acts. */
export const ofCaller = [
  'scopes',
  'groups',
  'source',
  'identity_id as identityId',
  sql<string>`coalesce(agent, name)`.as('name'),
] as const;

const acceptedPrevious =
  sql<Buffer | null>`case when previous_until > now() then previous_hash end`.as('previous');

/**
 * Reads a caller by the id of its key, for work that is done after the request, such as ingesting a relayed capture.
 * A key that has expired since then was valid when the request was made, so expiry is ignored here.
 * @returns null when there is no such key, or it was revoked
 */
export async function callerWithKey(db: Database, keyId: string): Promise<Caller | null> {
  const row = await db
    .selectFrom('api_key')
    .select(['id as keyId', ...ofCaller])
    .where('id', '=', keyId)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return row === undefined ? null : { ...row, secretHash: null };
}

/**
 * The secrets that each of these keys accepts now, as `Caller.secretHash`. None if the key was revoked or has expired. A
 * key that does not exist is missing.
 */
export async function readAcceptedSecrets(
  db: Database,
  keyIds: readonly string[],
): Promise<Map<string, readonly string[]>> {
  const { rows } = await sql<{ id: string; accepted: string[] }>`
    select id, array(
      select encode(secret, 'hex')
      from unnest(array[hash, case when previous_until > now() then previous_hash end]) as secret
      where secret is not null and revoked_at is null and (expires_at is null or expires_at > now())
    ) as accepted
    from api_key where id = any(${[...keyIds]}::text[])`.execute(db);
  return new Map(rows.map(({ id, accepted }) => [id, accepted]));
}

/** Makes the event streams of a key check whether their secret is still accepted. */
const notifyKey = (trx: Database, id: string) =>
  sql`select pg_notify(${channels.key}, ${id})`.execute(trx);

/** Records that a key was used, at most once a minute for each key, to keep the number of writes low. */
export async function noteUse(db: Database, keyId: string): Promise<void> {
  await sql`
    update api_key set last_used_at = now()
    where id = ${keyId} and (last_used_at is null or last_used_at < now() - interval '1 minute')`.execute(
    db,
  );
}

/** @returns false when there is no such key, or it was revoked before */
export const revokeApiKey = (db: Database, id: string, by: string): Promise<boolean> =>
  db.transaction().execute((trx) => revokeApiKeyIn(trx, id, by));

/** Does the same as `revokeApiKey`, in the transaction of the caller. */
export async function revokeApiKeyIn(trx: Database, id: string, by: string): Promise<boolean> {
  const revoked = await trx
    .updateTable('api_key')
    .set({ revoked_at: sql<Date>`now()` })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .returning('id')
    .executeTakeFirst();
  if (revoked === undefined) return false;
  await writeAudit(trx, { actor: by, action: 'api-key.revoked', subject: id });
  await notifyKey(trx, id);
  return true;
}

export async function listApiKeys(db: Database): Promise<ApiKeyView[]> {
  return (
    db
      .selectFrom('api_key')
      .leftJoin('identity', 'identity.id', 'api_key.identity_id')
      .select([
        'api_key.id',
        'api_key.name',
        'scopes',
        'groups',
        'agent',
        'source',
        'api_key.created_at as createdAt',
        'expires_at as expiresAt',
      ])
      .select(['revoked_at as revokedAt', 'last_used_at as lastUsedAt'])
      // A key whose person was removed stays bound, and acts for no one.
      .select(sql<string | null>`coalesce(identity.name, api_key.identity_id)`.as('identity'))
      .where('issuer', 'is', null)
      .orderBy('api_key.created_at')
      .execute()
  );
}

export async function hasApiKeys(db: Database): Promise<boolean> {
  const row = await db.selectFrom('api_key').select('id').limit(1).executeTakeFirst();
  return row !== undefined;
}

const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();
