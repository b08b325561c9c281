import { sql } from 'kysely';
import { CLOCKS_AGREE_MS } from '../../model/captures/capture';
import type { Form } from '../../model/hashes/encoding';
import { type Database, isUniqueViolation } from '../database';
import { channels } from '../notifications';

/** A change that the api, or a worker for a relayed capture, wants to have accepted. */
export interface NewChange {
  readonly id: string;
  readonly identityId: string;
  readonly identityName: string;
  /** Sequence number: one more than the last of this identity, else the result is `outdated`. */
  readonly seq: number;
  readonly groups: readonly string[];
  readonly requestedBy: { readonly keyId: string; readonly name: string };
  readonly idempotencyKey: string | null;
  /** Keyed hash of the request. It distinguishes a repeat from another request under the same Idempotency-Key. */
  readonly fingerprint: Buffer | null;
  readonly configurationVersion: number;
  /** Whether the password is plain text or a hash. Policies are not applied to a hash. */
  readonly form: Form;
  /** The account in which the password was changed, and when. Null when a caller requested the change. */
  readonly origin: {
    readonly accountId: string;
    readonly capturedAt: Date;
    /** The other accounts may hold the password already, so each is checked before it is written. */
    readonly looksFirst: boolean;
    /** The change only updates the stored credential of this account. */
    readonly partial?: boolean;
  } | null;
  /**
   * Keyed hashes of the passwords that the change writes, by which a capture of them is recognised; null when there
   * are none.
   */
  readonly passwordFingerprints: readonly Buffer[] | null;
  readonly expiresAt: Date;
  readonly epochId: string;
  readonly jwe: Buffer;
}

/**
 * What came of a change that was to be accepted.
 * - `accepted`: it is stored, with its sealed password.
 * - `outdated`: another change of this person was accepted first, or the epoch has ended. Read the identity and the
 *   epoch again, seal again, and call again.
 * - `repeated`: this key has used this Idempotency-Key before, for the change `changeId`.
 */
export type Accepted =
  | { readonly result: 'accepted'; readonly createdAt: Date }
  | { readonly result: 'outdated' }
  | { readonly result: 'repeated'; readonly changeId: string; readonly fingerprint: Buffer | null };

/**
 * Accepts a change: one statement stores the change, its sealed password and its audit record, so all of them are
 * durable when this returns, or none is (I1). The same statement notifies `channels.accepted`. The dispatcher in
 * `worker/changes/dispatcher.ts` listens on that channel, and starts the workflow of the change from its row; if the
 * notification is lost, the dispatcher finds the row at its next check.
 *
 * The same statement lets a captured password claim the account in which it was changed. From then on no older change
 * overwrites that account (I3, decision 0017).
 */
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
                            origin_account_id, captured_at, looks_first, partial, password_fingerprints,
                            form)
        select ${change.id}, id, ${change.identityName}, ${change.seq}, ${[...change.groups]}::text[],
               ${change.requestedBy.keyId}, ${change.requestedBy.name},
               ${change.idempotencyKey}, ${change.fingerprint}::bytea, ${change.configurationVersion}::int,
               ${change.expiresAt}::timestamptz, ${change.origin?.accountId ?? null},
               ${change.origin?.capturedAt ?? null}::timestamptz, ${change.origin?.looksFirst ?? false},
               ${change.origin?.partial ?? false}, ${change.passwordFingerprints}::bytea[],
               ${change.form}
        from bumped
        returning id, identity_id, seq, origin_account_id, captured_at, created_at, expires_at, partial
      ), origin as (
        update account a
        set claimed_seq = accepted.seq,
            applied_seq = case when ${holdsWhatWasCaptured} then accepted.seq else a.applied_seq end
        from accepted
        where a.id = accepted.origin_account_id and a.identity_id = accepted.identity_id
          and a.claimed_seq < accepted.seq
      ), sealed as (
        insert into sealed_secret (change_id, epoch_id, jwe, expires_at)
        select id, ${change.epochId}, ${change.jwe}, expires_at from accepted
      ), audited as (
        insert into audit (actor, action, change_id, detail)
        select ${`api-key:${change.requestedBy.keyId}`}, 'change.accepted', id,
               jsonb_build_object('seq', ${change.seq}::bigint, 'groups', ${change.groups.join(' ')}::text,
                                  'origin', ${change.origin?.accountId ?? null}::text,
                                  'form', ${change.form}::text)
                 || case when partial then '{"partial": true}'::jsonb else '{}' end
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

/**
 * Condition on account `a` and change `accepted`: the account certainly holds the captured password, because no write of
 * Lockstep is in progress and the last one ended before the capture. Otherwise the account is in doubt, and the worker
 * verifies before it writes. It reads columns of `a`, so that a claim that commits at this moment is seen.
 */
const holdsWhatWasCaptured = sql`(
  a.applied_seq < accepted.seq and (a.claimed_until is null or a.claimed_until < now())
  and (a.claimed_seq = 0 or exists (
    select from change c join outcome o on o.change_id = c.id
    where c.identity_id = a.identity_id and c.seq = a.claimed_seq and o.account_id = a.id
      and o.state not in ('pending', 'applying')
      and (o.reason = 'origin' or (o.state in ('waiting', 'parked') and not o.in_doubt)
           or (o.state not in ('waiting', 'parked')
               and o.updated_at < accepted.captured_at - make_interval(secs => ${CLOCKS_AGREE_MS / 1000}))))))`;

/** The change that this key started under this Idempotency-Key; null when there is none. */
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
  // The row is missing only if it was removed in between; then the caller may call again.
  return (await findRepeated(db, keyId, key)) ?? { result: 'outdated' };
}
