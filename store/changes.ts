import { sql } from 'kysely';
import type { ChangeState, Role } from '../model/change';
import { heldReasons } from '../model/circuit';
import type { Form } from '../model/encoding';
import type { ErrorCode } from '../model/errors';
import type { OutcomeState, Proof } from '../model/outcome';
import type { LeaveOutCode } from '../model/plan';
import type { MappingState } from '../model/sso';
import { type Database, isUniqueViolation } from './database';
import { channels } from './notifications';

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
               ${change.passwordFingerprints}::bytea[], ${change.form}
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

export interface ChangeView {
  readonly id: string;
  readonly identity: string;
  readonly seq: number;
  readonly groups: readonly string[];
  readonly state: ChangeState;
  readonly reason: ErrorCode | null;
  readonly requestedBy: string;
  readonly form: Form;
  /** When the password was changed in one of the accounts; null when the change was asked for. */
  readonly capturedAt: Date | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly endedAt: Date | null;
  readonly accounts: readonly OutcomeView[];
  readonly mappings: readonly MappingView[];
}

export interface OutcomeView {
  readonly label: string;
  readonly source: string;
  /** How the source calls the account; null when it was not found yet. */
  readonly account: string | null;
  readonly role: Role;
  readonly state: OutcomeState;
  readonly reason: ErrorCode | LeaveOutCode | null;
  readonly vendorCode: string | null;
  readonly attempts: number;
  readonly inDoubt: boolean;
  readonly proof: Proof;
  readonly nextTryAt: Date | null;
  readonly updatedAt: Date;
}

export interface MappingView {
  readonly application: string;
  readonly account: string;
  readonly source: string;
  readonly state: MappingState;
  readonly reason: string | null;
  readonly appliedSeq: number;
}

export async function readChange(db: Database, id: string): Promise<ChangeView | null> {
  const [change, accounts, mappings] = await Promise.all([
    db
      .selectFrom('change')
      .where('id', '=', id)
      .select([
        'id',
        'identity_name as identity',
        'seq',
        'groups',
        'state',
        'reason',
        'requested_by_name as requestedBy',
        'form',
        'captured_at as capturedAt',
        'created_at as createdAt',
        'expires_at as expiresAt',
        'ended_at as endedAt',
      ])
      .executeTakeFirst(),
    db
      .selectFrom('outcome')
      .leftJoin('source_state', 'source_state.source', 'outcome.source')
      .where('change_id', '=', id)
      .select([
        'label',
        'outcome.source',
        'account_name as account',
        'role',
        'state',
        'outcome.reason',
        'vendor_code as vendorCode',
        'attempts',
        'in_doubt as inDoubt',
        'proof',
        'next_try_at as nextTryAt',
        'updated_at as updatedAt',
        'source_state.reason as trouble',
        'source_state.next_probe_at as nextProbeAt',
      ])
      .orderBy('position')
      .execute(),
    db
      .selectFrom('mapping')
      .innerJoin('outcome', 'outcome.account_id', 'mapping.account_id')
      .where('outcome.change_id', '=', id)
      .select([
        'mapping.application',
        'mapping.state',
        'mapping.reason',
        'mapping.applied_seq as appliedSeq',
        'outcome.source',
        'outcome.account_name as account',
      ])
      .orderBy('mapping.application')
      .execute(),
  ]);
  if (change === undefined) return null;
  return {
    ...change,
    accounts: accounts.map(({ trouble, nextProbeAt, ...account }) => ({
      ...account,
      ...waitOf({ ...account, trouble, nextProbeAt }),
    })),
    mappings: mappings.map((row) => ({ ...row, account: row.account ?? '' })),
  };
}

interface WaitingRow {
  readonly state: OutcomeState;
  readonly reason: ErrorCode | LeaveOutCode | null;
  readonly nextTryAt: Date | null;
  /** Of its source; null while that is up. */
  readonly trouble: ErrorCode | null;
  readonly nextProbeAt: Date | null;
}

/** Why, and when next. Who waits for the source itself is told how that is now. What is parked is not tried. */
function waitOf(row: WaitingRow): Pick<OutcomeView, 'reason' | 'nextTryAt'> {
  const { state, reason, trouble } = row;
  if (state === 'waiting' && trouble !== null && heldReasons.some((one) => one === reason))
    return { reason: trouble, nextTryAt: row.nextProbeAt };
  return { reason, nextTryAt: state === 'parked' ? null : row.nextTryAt };
}

/** What a caller without `admin` may see and touch: changes of the groups of its key. */
export interface Visibility {
  readonly groups: readonly string[] | null;
}

export interface ListFilter extends Visibility {
  readonly state: ChangeState | null;
  readonly identity: string | null;
  readonly source: string | null;
  readonly limit: number;
  readonly cursor: string | null;
}

export interface ChangeSummary {
  readonly id: string;
  readonly identity: string;
  readonly groups: readonly string[];
  readonly state: ChangeState;
  readonly createdAt: Date;
  readonly endedAt: Date | null;
  /** How many accounts there are, and how many of them hold the new password. */
  readonly accounts: number;
  readonly applied: number;
}

/** The newest first. Ids grow with time, so the last id of a page is the cursor to the next one. */
export async function listChanges(db: Database, filter: ListFilter): Promise<ChangeSummary[]> {
  const { rows } = await sql<ChangeSummary>`
    select c.id, c.identity_name as identity, c.groups, c.state,
           c.created_at as "createdAt", c.ended_at as "endedAt", o.accounts, o.applied
    from change c cross join lateral (
      select count(*) filter (where state <> 'not_applicable')::int as accounts,
             count(*) filter (where state = 'applied')::int as applied
      from outcome where change_id = c.id) o
    where (${filter.cursor}::text is null or c.id < ${filter.cursor})
      and (${filter.state}::text is null or c.state = ${filter.state})
      and (${filter.identity}::text is null or c.identity_name = ${filter.identity})
      and (${filter.groups === null}::boolean or c.groups && ${[...(filter.groups ?? [])]}::text[])
      and (${filter.source}::text is null or exists (
        select from outcome where change_id = c.id and source = ${filter.source}))
    order by c.id desc limit ${filter.limit}`.execute(db);
  return rows;
}
