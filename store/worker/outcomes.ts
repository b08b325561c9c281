import { type RawBuilder, sql } from 'kysely';
import type { Role } from '../../model/change/change';
import type { HeldFacts } from '../../model/change/holds';
import type { AttemptResult, OutcomeState, SettledState } from '../../model/change/outcome';
import type { LeaveOutCode, LinkedAccount } from '../../model/change/plan';
import type { SignInObstacle } from '../../model/change/sign-in-prevented';
import { errorCodes, errors, type Reason } from '../../model/errors';
import type { Form } from '../../model/hashes/encoding';
import type { Person } from '../../model/people/correlation';
import type { StoredProblem } from '../../model/people/links';
import { countOutcomes, type StoredOutcome } from '../changes/counters';
import { settledNotice } from '../changes/progress';
import { type Database, withoutSync } from '../database';
import { parkedNotice, passwordChangedNotice } from '../notices/write';
import { channels } from '../notifications';
import { mappingsOfAccount } from '../people/mappings';
import type { ClaimedAccount } from './claims';
import { earlierClaim, retryBehind } from './release';
import { supersedeOlder } from './supersede';

/** Everything that a worker needs to know about a change in order to carry it out. */
export interface ChangeAtWork {
  readonly id: string;
  readonly identityId: string;
  readonly person: Person;
  readonly seq: number;
  readonly groups: readonly string[];
  readonly planned: boolean;
  readonly form: Form;
  /** True when the change only updates the stored credential of its origin. */
  readonly partial: boolean;
  /** True while the API key that requested the change is not revoked and may still change these groups. */
  readonly authorized: boolean;
  readonly expiresAt: Date;
  /** Time until the change expires, in milliseconds by the clock of the database; 0 when it has expired. */
  readonly remainingMs: number;
  readonly accounts: readonly LinkedAccount[];
  /** The account in which the password was captured; null when a caller requested the change. */
  readonly origin: Origin | null;
  /** The sealed password; null when it was deleted or has expired. */
  readonly sealed: { readonly epochId: string; readonly jwe: Buffer } | null;
  /** The sources that are paused, or down without a probe that is due: their accounts are set to wait at once. */
  readonly heldSources: readonly string[];
  /** The sources that are paused or down. */
  readonly unavailableSources: readonly string[];
  /** Version of the configuration in force now. */
  readonly configurationVersion: number;
  /** When the change was read, by the clock of the database. */
  readonly now: Date;
  /** Whether a channel of the configuration sends notices to people; `loadChange` adds it. */
  readonly notifiesPerson?: boolean;
  /** The sources that need the old password with the new one; `loadChange` adds them. */
  readonly inOrderAt?: readonly string[];
  /** Whether no other worker can verify the accounts of this step again: it is bound to them; `loadChange` adds it. */
  readonly isVerifiedOnce?: boolean;
}

/** Of change `c`. */
const remainingMs = sql`
  greatest(0, extract(epoch from c.expires_at - now()) * 1000)::float8 as "remainingMs"`;

/** The linked account of a capture. */
export interface Origin {
  readonly id: string;
  readonly source: string;
  readonly name: string;
  readonly nativeId: string | null;
  readonly idLearnt: boolean;
  readonly problem: StoredProblem | null;
}

/** Reads a change with its person, linked accounts and sealed password; null when there is no such change. */
export async function readChangeAtWork(
  db: Database,
  changeId: string,
): Promise<ChangeAtWork | null> {
  const { rows } = await sql<
    Omit<ChangeAtWork, 'person' | 'sealed'> &
      Person & { epochId: string | null; jwe: Buffer | null }
  >`
    select c.id, c.identity_id as "identityId", i.name, i.attributes, c.seq, c.groups,
           c.planned_at is not null as planned, c.form, c.partial,
           exists (select from api_key k
                   where k.id = c.requested_by and k.revoked_at is null
                     and (k.groups is null or k.groups @> c.groups)) as authorized,
           c.expires_at as "expiresAt", ${remainingMs},
           array(select source from source_state where next_probe_at is null or next_probe_at > now()) as "heldSources",
           array(select source from source_state) as "unavailableSources",
           (select coalesce(max(version), 0) from configuration) as "configurationVersion",
           now() as now, s.epoch_id as "epochId", s.jwe,
           coalesce((select json_agg(json_build_object(
                       'id', a.id, 'source', a.source, 'name', a.name, 'primary', a.is_primary,
                       'mappings', ${mappingsOfAccount})
                       order by a.is_primary desc, a.linked_at, a.id)
                     from account a where a.identity_id = c.identity_id), '[]') as accounts,
           (select json_build_object('id', a.id, 'source', a.source, 'name', a.name, 'nativeId', a.native_id,
                                     'idLearnt', a.id_learnt, 'problem', a.problem)
            from account a where a.id = c.origin_account_id and a.identity_id = c.identity_id) as origin
    from change c join identity i on i.id = c.identity_id
      left join sealed_secret s on s.change_id = c.id and s.expires_at > now()
    where c.id = ${changeId}`.execute(db);
  const [row] = rows;
  if (row === undefined) return null;
  const { name, attributes, epochId, jwe, ...work } = row;
  const sealed = epochId === null || jwe === null ? null : { epochId, jwe };
  return { ...work, person: { name, attributes }, sealed };
}

/** The result of an attempt on one account, or the reason why none was made. */
export interface Settlement {
  readonly label: string;
  readonly state: SettledState | 'waiting' | 'parked';
  /** Of an applied account: why it could not be verified, or what keeps the person from signing in. */
  readonly reason: Reason | LeaveOutCode | SignInObstacle | null;
  readonly vendorCode: AttemptResult['vendorCode'];
  readonly proof: AttemptResult['proof'];
  readonly inDoubt: boolean;
  /**
   * Time until the next attempt, in milliseconds from now; null unless the state is `waiting`. A parked outcome has
   * no attempt left, only the expiry of its change.
   */
  readonly nextTryInMs: number | null;
  /**
   * The claim of the attempt that had this result. The result is ignored when a newer attempt has been made since.
   * Absent when no attempt was made.
   */
  readonly claim?: Pick<ClaimedAccount, 'attempts' | 'leasedBefore' | 'leasedUntil'>;
  /**
   * True when correlation could not find out whether there is an account: this counts as an attempt, and no claim has
   * counted it.
   */
  readonly lookedUp?: boolean;
}

/**
 * Records the results of attempts, and ends the leases of these attempts. The lease of an earlier attempt that was
 * never settled stays, because its worker may be frozen. An outcome that is settled already stays as it is. Once the
 * auth account holds the new password, older changes of the person get the command `supersede`.
 *
 * An account that this change has certainly not written is released: an older change may claim it again, and the
 * accounts that wait behind this change are retried at once (decision 0017).
 */
export async function settleAccounts(
  db: Database,
  change: SettledChange,
  settled: readonly Settlement[],
): Promise<void> {
  const { rows } = await sql<{ stored: StoredOutcome[] }>`
    ${settling(change, settled)}
    select (select coalesce(json_agg(json_build_object(
              'source', source, 'role', role, 'state', state, 'reason', reason,
              'attempted', attempt is not null, 'seconds', seconds)), '[]') from recorded) as stored,
           ${settlementNotices(change.id)}, ${syncOf(change, settled)}`.execute(db);
  countOutcomes(rows[0]?.stored ?? []);
}

/** Whether a newer change, which is not partial, has written an account that this change wrote. */
export async function isOvertaken(db: Database, changeId: string): Promise<boolean> {
  const { rows } = await sql`
    select from change c join outcome o on o.change_id = c.id and o.state = 'applied'
      join account a on a.id = o.account_id and a.identity_id = c.identity_id
      join change newer on newer.identity_id = c.identity_id and newer.seq = a.applied_seq
    where c.id = ${changeId} and newer.seq > c.seq and not newer.partial limit 1`.execute(db);
  return rows.length > 0;
}

/**
 * Settles accounts like `settleAccounts`, and saves the statement that reads the result.
 * @returns the status of every account of the change, in the order of its plan
 */
export async function settleAndRead(
  db: Database,
  change: SettledChange,
  settled: readonly Settlement[],
): Promise<MappedOutcomeStatus[]> {
  const { rows } = await sql<MappedOutcomeStatus & JustStored>`
    ${settling(change, settled)}
    -- The statement does not see its own updates, so their new values come from "recorded".
    select o.label, o.source, o.role, coalesce(r.state, o.state) as state,
           case when r.label is null then o.reason else r.reason end as reason,
           coalesce(r.in_doubt, o.in_doubt) as "inDoubt",
           ${untilNextTry(sql`case when r.label is null then o.next_try_at else r.next_try_at end`)},
           r.attempt is not null as attempted, r.seconds, ${isMapped(sql`o`)},
           ${settlementNotices(change.id)}, ${syncOf(change, settled)}
    from outcome o left join recorded r on r.label = o.label
    where o.change_id = ${change.id} order by o.position`.execute(db);
  return countStored(rows);
}

/** Columns of outcomes for the counters. `seconds` is null in the rows that the statement did not update. */
export interface JustStored {
  readonly attempted: boolean;
  readonly seconds: number | null;
}

/** Counts the outcomes that a statement has stored, and returns all statuses without the columns for that. */
export function countStored<Status extends OutcomeStatus>(
  rows: readonly (Status & JustStored)[],
): Omit<Status & JustStored, keyof JustStored>[] {
  countOutcomes(
    rows.flatMap(({ seconds, ...status }) => (seconds === null ? [] : [{ ...status, seconds }])),
  );
  return rows.map(({ attempted: _attempted, seconds: _seconds, ...status }) => status);
}

type SettledChange = Pick<
  ChangeAtWork,
  'id' | 'seq' | 'identityId' | 'notifiesPerson' | 'inOrderAt' | 'isVerifiedOnce'
>;

/** Time since a change was accepted, of a row of `change`. */
export const secondsSince = (change: string) =>
  sql`extract(epoch from clock_timestamp() - ${sql.ref(`${change}.created_at`)})::float8`;

/** The start of a statement that settles accounts; CTE `recorded` has the outcomes that were updated. */
const settling = (change: SettledChange, settled: readonly Settlement[]) => sql`
    with result as (
      select * from unnest(
        ${settled.map(({ label }) => label)}::text[], ${settled.map(({ state }) => state)}::text[],
        ${settled.map(({ reason }) => reason)}::text[],
        ${settled.map((s) => s.vendorCode)}::text[], ${settled.map(({ proof }) => proof)}::text[],
        ${settled.map(({ inDoubt }) => inDoubt)}::boolean[],
        ${settled.map((s) => s.nextTryInMs)}::double precision[],
        ${settled.map(({ lookedUp = false }) => lookedUp)}::boolean[],
        ${settled.map(({ claim }) => claim?.attempts ?? null)}::int[],
        ${settled.map(({ claim }) => claim?.leasedBefore ?? null)}::timestamptz[],
        ${settled.map(({ claim }) => claim?.leasedUntil ?? null)}::timestamptz[]
      ) as r (label, state, reason, vendor_code, proof, in_doubt, next_try_in_ms, looked_up,
              attempt, leased_before, leased_until)
    ), recorded as (
      update outcome o
      set state = r.state, reason = r.reason, vendor_code = r.vendor_code, proof = r.proof,
          in_doubt = r.in_doubt, updated_at = now(),
          unknowns = o.unknowns + case when r.reason = any(${unknownReasons}::text[]) then 1 else 0 end,
          attempts = o.attempts + r.looked_up::int,
          next_try_at = case when r.state = 'parked' then c.expires_at
                             else now() + make_interval(secs => r.next_try_in_ms / 1000) end
      from result r, change c
      where c.id = ${change.id} and o.change_id = c.id and o.label = r.label
        and o.state in ('pending', 'applying', 'waiting', 'parked')
        and (r.attempt is null or r.attempt = o.attempts)
      returning o.label, o.source, o.role, o.account_id, o.state, o.reason, o.attempts, o.proof, o.in_doubt,
                o.next_try_at, ${secondsSince('c')} as seconds, r.attempt, r.leased_before, r.leased_until,
                r.state not in ('applied', 'waiting') and not r.in_doubt as released
    ), freed as (
      update account a
      set claimed_until = case when a.claimed_until = recorded.leased_until then recorded.leased_before
                               else a.claimed_until end,
          applied_seq = case when recorded.state = 'applied' then greatest(a.applied_seq, ${change.seq})
                             else a.applied_seq end,
          -- The time that the source reported before this write is outdated.
          changed_there_at = case when recorded.state = 'applied' then null else a.changed_there_at end,
          claimed_seq = case when recorded.released and a.claimed_seq = ${change.seq} then greatest(a.applied_seq, ${earlierClaim(sql`${change.seq}`)})
                             else a.claimed_seq end
      from recorded
      where a.id = recorded.account_id
        and (a.claimed_seq = ${change.seq} or a.claimed_until = recorded.leased_until)
    ), let_go as (
      ${retryBehind(
        { id: sql`${change.id}`, identityId: sql`${change.identityId}` },
        sql`(select account_id from recorded where state <> 'waiting') released`,
      )}
    ), audited as (
      insert into audit (actor, action, change_id, subject, detail)
      select 'worker', 'account.' || state, ${change.id}, label,
             jsonb_build_object('reason', reason, 'attempts', attempts, 'proof', proof)
      from recorded
    ), reopened as (
      -- The password of the auth account is known again, such as after a change by the help desk.
      delete from sign_in_guard g using recorded
      where g.account_id = recorded.account_id and recorded.role = 'auth' and recorded.state = 'applied'
    )${noticesOf(change, settled)}, superseding as (${supersedeOlder(change.id, 'recorded', change.inOrderAt)})`;

/** CTEs that write the notices about these settlements. Most settlements have none, and then cost nothing for them. */
const noticesOf = ({ id, notifiesPerson }: SettledChange, settled: readonly Settlement[]) => sql`
    ${notifiesPerson && settled.some(({ state }) => state === 'applied') ? sql`, noticed as (${passwordChangedNotice(id, 'recorded')})` : sql``}
    ${settled.some(({ state }) => state === 'parked') ? sql`, parked as (${parkedNotice(id)})` : sql``}`;

/**
 * A settlement waits for the disk unless a login has verified every account, and none of them is the auth account, whose
 * outcome decides about all others. When a crash of the database undoes it, `closeChange` finds the accounts in doubt and
 * logs in again: a login that succeeds, so there is neither a failed login (I11) nor another write (I7). It cannot log in
 * to an isolated source, so the settlement of a bound worker always waits.
 */
const syncOf = ({ isVerifiedOnce }: SettledChange, settled: readonly Settlement[]) =>
  isVerifiedOnce !== true &&
  settled.every(({ state, proof }) => state === 'applied' && proof !== 'none')
    ? sql`case when not exists (select from recorded where role = 'auth') then ${withoutSync} end`
    : sql`null`;

/** Columns that notify the waiting requests, and the dispatcher of changes that got a command. */
const settlementNotices = (changeId: string) => sql`
  (select pg_notify(${channels.progress}, ${settledNotice(changeId, 'recorded')})),
  (select count(pg_notify(${channels.commanded}, change_id))
   from (select change_id from superseding union select change_id from let_go) as woken)`;

/** Error codes that count as unknown errors, of which an account gets only a few attempts. */
const unknownReasons = errorCodes.filter((code) => errors[code].retry === 'unknown');

/** The state of one account of a change. */
export interface OutcomeStatus {
  readonly label: string;
  readonly source: string;
  readonly role: Role;
  readonly state: OutcomeState;
  readonly reason: Reason | LeaveOutCode | SignInObstacle | null;
  readonly inDoubt: boolean;
  /** Time until its next attempt, in milliseconds from now; 0 when it may be tried at once. */
  readonly nextTryInMs: number;
}

/** The state of one account of a change, and whether a single sign-on mapping depends on it. */
export interface MappedOutcomeStatus extends OutcomeStatus {
  readonly mapped: boolean;
}

/** Reads the states of all accounts of a change, in the order of its plan. */
export const readOutcomeStatuses = (
  db: Database,
  changeId: string,
): Promise<MappedOutcomeStatus[]> => readStatuses(db, changeId, sql``);

/** The state of one account when its change is closed, with what the sentence about the change counts. */
export interface FinalStatus
  extends MappedOutcomeStatus,
    Pick<HeldFacts, 'proof' | 'attempts' | 'isOrigin'> {
  /** Whether the change only updates a stored credential. */
  readonly partial: boolean;
}

/** Reads the same, for the close of the change. */
export const readFinalStatuses = (db: Database, changeId: string): Promise<FinalStatus[]> =>
  readStatuses(
    db,
    changeId,
    sql`, proof, attempts,
         (select c.partial from change c where c.id = change_id) as partial,
         exists (select from change c where c.id = change_id and c.origin_account_id = account_id) as "isOrigin"`,
  );

async function readStatuses<Status extends MappedOutcomeStatus>(
  db: Database,
  changeId: string,
  more: RawBuilder<unknown>,
): Promise<Status[]> {
  const { rows } = await sql<Status>`
    select label, source, role, state, reason, in_doubt as "inDoubt",
           ${untilNextTry(sql`next_try_at`)},
           ${isMapped(sql`outcome`)}${more}
    from outcome where change_id = ${changeId} order by position`.execute(db);
  return rows;
}

/** True for outcome `o` when a mapping depends on it: one of its account, or any of the person for the auth account. */
const isMapped = (o: ReturnType<typeof sql>) => sql`(
  exists (select from mapping m where m.account_id = ${o}.account_id)
  or ${o}.role = 'auth' and exists (
    select from account a join account b on b.identity_id = a.identity_id join mapping m on m.account_id = b.id
    where a.id = ${o}.account_id)) as mapped`;

const untilNextTry = (nextTryAt: ReturnType<typeof sql>) => sql`
  greatest(0, coalesce(extract(epoch from ${nextTryAt} - now()) * 1000, 0))::float8 as "nextTryInMs"`;

/** Records that a change which has not ended is being carried out again. `endChange` sets the final state. */
export async function noteApplying(db: Database, changeId: string): Promise<void> {
  await sql`
    with ${moved(changeId, 'applying')}
    select pg_notify(${channels.progress}, id) from moved`.execute(db);
}

/**
 * Records that a change which has not ended waits for accounts, once the first attempt at each of its other accounts has
 * been made.
 */
export async function noteAtRest(db: Database, changeId: string): Promise<void> {
  await sql`
    with ${moved(
      changeId,
      'waiting',
      sql`exists (select from outcome where change_id = ${changeId} and state in ('waiting', 'parked'))
        and not exists (select from outcome where change_id = ${changeId} and state in ('pending', 'applying'))`,
    )}
    select pg_notify(${channels.progress}, id) from moved`.execute(db);
}

/**
 * Records that a change which has not ended waits for accounts.
 * @returns the time until the change expires, in milliseconds
 */
export async function noteWaiting(db: Database, changeId: string): Promise<number> {
  const { rows } = await sql<{ remainingMs: number }>`
    with ${moved(changeId, 'waiting')}
    select ${remainingMs}, (select pg_notify(${channels.progress}, id) from moved)
    from change c where c.id = ${changeId}`.execute(db);
  return rows[0]?.remainingMs ?? 0;
}

const moved = (changeId: string, state: 'applying' | 'waiting', when = sql`true`) => sql`
  moved as (
    update change set state = ${state}
    where id = ${changeId} and ended_at is null and state <> ${state} and ${when} returning id
  )`;
