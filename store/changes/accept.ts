import { sql } from 'kysely';
import type { Form } from '../../model/hashes/encoding';
import { type Database, isUniqueViolation } from '../database';
import { channels } from '../notifications';

export interface NewChange {
  readonly id: string;
  readonly identityId: string;
  readonly identityName: string;
  /** One more than the last of this identity, else the change is `outdated`. */
  readonly seq: number;
  readonly groups: readonly string[];
  readonly requestedBy: { readonly keyId: string; readonly name: string };
  readonly idempotencyKey: string | null;
  /** Keyed hash of the request, to tell a repeat from another request under the same Idempotency-Key. */
  readonly fingerprint: Buffer | null;
  readonly configurationVersion: number;
  /** A hash is judged by no policy. */
  readonly form: Form;
  /** The account in which the password was changed, and when; null when the change was asked for. */
  readonly origin: {
    readonly accountId: string;
    readonly capturedAt: Date;
    /** Its other accounts may hold the password already: each is looked at before it is written. */
    readonly looksFirst: boolean;
  } | null;
  /** Keyed hashes of what it writes, to know it again in a capture; null where there are none. */
  readonly passwordFingerprints: readonly Buffer[] | null;
  readonly expiresAt: Date;
  readonly epochId: string;
  readonly jwe: Buffer;
}

/**
 * - `outdated`: another change of this person was accepted first, or the epoch has ended. Read the identity and the
 *   epoch again, seal again, try again.
 * - `repeated`: this Idempotency-Key was used before, for the change told.
 */
export type Accepted =
  | { readonly result: 'accepted'; readonly createdAt: Date }
  | { readonly result: 'outdated' }
  | { readonly result: 'repeated'; readonly changeId: string; readonly fingerprint: Buffer | null };

/** Takes a change in: one statement, so all of it is durable when this returns, or nothing is (I1). */
export async function acceptChange(db: Database, change: NewChange): Promise<Accepted> {
  try {
    const { rows } = await sql<{ createdAt: Date }>`
      with bumped as (
        update identity set last_seq = ${change.seq}
        where id = ${change.identityId} and last_seq = ${change.seq - 1}
          and exists (select from epoch
                      where id = ${change.epochId} and destroyed_at is null and seal_until > now())
        returning id
      ), accepted as (
        insert into change (id, identity_id, identity_name, seq, groups, requested_by, requested_by_name,
                            idempotency_key, fingerprint, configuration_version, expires_at,
                            origin_account_id, captured_at, looks_first, password_fingerprints, form)
        select ${change.id}, id, ${change.identityName}, ${change.seq}, ${[...change.groups]}::text[],
               ${change.requestedBy.keyId}, ${change.requestedBy.name},
               ${change.idempotencyKey}, ${change.fingerprint}::bytea, ${change.configurationVersion}::int,
               ${change.expiresAt}::timestamptz, ${change.origin?.accountId ?? null},
               ${change.origin?.capturedAt ?? null}::timestamptz, ${change.origin?.looksFirst ?? false},
               ${change.passwordFingerprints}::bytea[],
               ${change.form}
        from bumped returning id, created_at, expires_at
      ), sealed as (
        insert into sealed_secret (change_id, epoch_id, jwe, expires_at)
        select id, ${change.epochId}, ${change.jwe}, expires_at from accepted
      ), audited as (
        insert into audit (actor, action, change_id, detail)
        select ${`api-key:${change.requestedBy.keyId}`}, 'change.accepted', id,
               jsonb_build_object('seq', ${change.seq}::bigint, 'groups', ${change.groups.join(' ')}::text,
                                  'origin', ${change.origin?.accountId ?? null}::text,
                                  'form', ${change.form}::text)
        from accepted
      )
      select created_at as "createdAt", pg_notify(${channels.accepted}, id) from accepted`.execute(
      db,
    );
    const [accepted] = rows;
    return accepted === undefined
      ? { result: 'outdated' }
      : { result: 'accepted', createdAt: accepted.createdAt };
  } catch (error) {
    if (isUniqueViolation(error, 'change_identity_id_seq_key')) return { result: 'outdated' };
    if (!isUniqueViolation(error, 'change_idempotency')) throw error;
    return repeatedChange(db, change.requestedBy.keyId, change.idempotencyKey ?? '');
  }
}

/** The change that this caller started under this Idempotency-Key. */
export async function findRepeated(
  db: Database,
  keyId: string,
  idempotencyKey: string,
): Promise<Extract<Accepted, { result: 'repeated' }> | null> {
  const row = await db
    .selectFrom('change')
    .select(['id', 'fingerprint'])
    .where('requested_by', '=', keyId)
    .where('idempotency_key', '=', idempotencyKey)
    .executeTakeFirst();
  return row === undefined
    ? null
    : { result: 'repeated', changeId: row.id, fingerprint: row.fingerprint };
}

async function repeatedChange(db: Database, keyId: string, key: string): Promise<Accepted> {
  // Null only when the row was removed in between; then the caller may try again.
  return (await findRepeated(db, keyId, key)) ?? { result: 'outdated' };
}
