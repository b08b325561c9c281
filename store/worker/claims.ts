import { sql } from 'kysely';
import type { Role } from '../../model/change/change';
import { HELD_LOOK_MS } from '../../model/change/source-circuit';
import { SOURCE_CLOCKS_MS } from '../../model/change/stale';
import type { Reason } from '../../model/errors';
import type { StoredProblem } from '../../model/people/links';
import type { Database } from '../database';
import { channels } from '../notifications';
import { type Gate, gateColumns, gateOf } from '../sources/state';
import { type Chosen, whereChosen } from './chosen';

/** An outcome without an account: correlation still has to find the account in its source. */
export interface UnfoundAccount extends Gate {
  readonly label: string;
  /** Number of attempts, this one included. */
  readonly attempts: number;
  /** Attempts that ended with an unknown error, counting this one. */
  readonly unknowns: number;
}

/**
 * Reads the unsettled outcomes of a change whose accounts correlation still has to find. The state of the source is
 * checked in the same statement: when the source is down and its probe is due, one outcome is returned, as the probe;
 * otherwise `held` is true and the caller must not ask the source.
 * @param except labels that this pass has handled already
 */
export async function readUnfound(
  db: Database,
  changeId: string,
  chosen: Chosen,
  except: readonly string[],
): Promise<UnfoundAccount[]> {
  const { rows } = await sql<UnfoundAccount>`
    with unfound as (
      select label, position, attempts, unknowns from outcome
      where change_id = ${changeId} and account_id is null and state in ('pending', 'waiting')
        and ${whereChosen(chosen)} and not label = any(${[...except]}::text[])
    ), ${gateOf(chosen.source, 'unfound')}
    select label, attempts + 1 as attempts, unknowns + 1 as unknowns, ${gateColumns}
    from unfound order by position limit ${oneIfProbe(null)}`.execute(db);
  return rows;
}

/** Records the account that correlation found for an outcome. */
export async function noteFound(
  db: Database,
  changeId: string,
  label: string,
  account: { readonly id: string; readonly name: string },
): Promise<void> {
  await sql`update outcome set account_id = ${account.id}, account_name = ${account.name}
            where change_id = ${changeId} and label = ${label}`.execute(db);
}

/** What a claim of one account returned. */
export interface ClaimedAccount extends Gate {
  readonly label: string;
  /** Position in the plan of the change. */
  readonly position: number;
  readonly source: string;
  readonly role: Role;
  readonly accountId: string;
  readonly name: string;
  readonly nativeId: string | null;
  /** True once the source has shown the id, or that it has none. */
  readonly idLearnt: boolean;
  readonly problem: StoredProblem | null;
  /** Number of attempts, this one included. */
  readonly attempts: number;
  /** Attempts that ended with an unknown error, counting this one. */
  readonly unknowns: number;
  /** True when an earlier attempt may have written the password: verify before writing. */
  readonly inDoubt: boolean;
  /** True when the password was captured in this account and this change has not tried to write it yet. */
  readonly origin: boolean;
  /** True when the password of the account was last written by Lockstep, which normalizes passwords in plaintext. */
  readonly holdsNormalized: boolean;
  /**
   * The plan of this change, or a later attempt of another change at this account. A password that was set later was
   * not set by Lockstep. Clock of the database. Null for a first attempt that follows the plan at once.
   */
  readonly untouchedSince: Date | null;
  /** True when another change has written the account shortly before that time, or a capture reported its password. */
  readonly touchedBefore: boolean;
  /** Reason why the previous attempt did not settle the outcome; null on a first attempt. */
  readonly lastReason: Reason | null;
  /**
   * End of the lease of an earlier attempt that was never settled; its worker may be frozen, not dead. Null when
   * there is none.
   */
  readonly leasedBefore: Date | null;
  /** End of the lease of this attempt; null unless the verdict is `claimed`. */
  readonly leasedUntil: Date | null;
  readonly verdict: ClaimVerdict;
}

/**
 * Result of a claim.
 * - `claimed`: until the lease ends, no other change writes the account.
 * - `superseded`: the account holds the password of a newer change, or may hold it.
 * - `in_use`: an attempt of an older change is still running, or is in doubt at a source that needs the old password.
 * - `behind`: a newer change has claimed the account and may yet be rejected; then this one continues.
 * - `unlinked`: the account no longer belongs to the person.
 *
 * While the source must not be asked (`held`), nothing is claimed and the verdict has no meaning.
 */
export type ClaimVerdict = 'claimed' | 'superseded' | 'in_use' | 'behind' | 'unlinked';

/** Lease of a claim. A claim that was not settled by then may be taken over by another change. */
const LEASE_SECONDS = 60;
/**
 * A write must begin within this time after its claim. The rest of the lease is longer than any call of a connector.
 */
export const WRITE_WITHIN_MS = 30_000;
/** Number of accounts in the first claims of a pass. */
export const CLAIM_AT_FIRST = 50;

interface ClaimingChange {
  readonly id: string;
  readonly seq: number;
  readonly identityId: string;
  /** The sources that need the old password with the new one. */
  readonly inOrderAt?: readonly string[];
}

/**
 * Claims unsettled accounts of a change in the order of its plan, at most `most`, and counts the attempt durably before
 * anything is sent: after a crash the next attempt finds the account in state `applying`, and knows that it is in
 * doubt. The state of the source is checked in the same statement: while the source is down, one account is claimed as
 * the probe when that is due; otherwise none is.
 * @param after the last position that this pass has handled already; -1 for the start
 * @returns fewer than `most` when no accounts are left after these
 */
export async function claimAccounts(
  db: Database,
  change: ClaimingChange,
  chosen: Chosen,
  after = -1,
  most = CLAIM_AT_FIRST,
): Promise<ClaimedAccount[]> {
  const { rows } = await sql<ClaimedAccount>`
    with open as (
      select label, source, role, account_id, attempts, unknowns, state, in_doubt, reason, position from outcome
      where change_id = ${change.id} and account_id is not null
        and state in ('pending', 'applying', 'waiting') and ${whereChosen(chosen)}
        and position > ${after}
      order by position limit ${most} for update
    ), ${gateOf(chosen.source, 'open')}, mine as (
      select open.*, ${gateColumns} from open order by position limit ${oneIfProbe(most)}
    ), claimed as (
      update account a
      set claimed_seq = ${change.seq}, claimed_until = ${leaseEnd}
      from mine
      where a.id = mine.account_id and not mine.held and a.identity_id = ${change.identityId}
        and a.applied_seq <= ${change.seq} and a.claimed_seq <= ${change.seq}
        and (a.claimed_seq = ${change.seq} or a.claimed_until is null or a.claimed_until < now())
        ${change.inOrderAt?.includes(chosen.source) ? afterOlder(change.seq) : sql``}
      returning a.id
    ), begun as (
      update outcome o
      set state = 'applying', attempts = o.attempts + 1, in_doubt = o.in_doubt or o.state = 'applying',
          next_try_at = null, updated_at = now()
      from mine
      where o.change_id = ${change.id} and o.label = mine.label and ${isClaimed('mine.account_id')} is true
    )
    select mine.label, mine.position, mine.source, mine.role, mine.account_id as "accountId", a.name, a.native_id as "nativeId",
           a.id_learnt as "idLearnt", a.problem,
           mine.attempts + 1 as attempts, mine.unknowns + 1 as unknowns, mine.reason as "lastReason",
           case when a.claimed_until > now() then a.claimed_until end as "leasedBefore",
           case when ${isClaimed('a.id')} then ${leaseEnd} end as "leasedUntil",
           mine.in_doubt or mine.state = 'applying' as "inDoubt", mine.held, mine.probe,
           touched.since as "untouchedSince", coalesce(touched.before, false) as "touchedBefore",
           mine.attempts = 0 and mine.account_id is not distinct from
             (select origin_account_id from change where id = ${change.id}) as origin,
           exists (select from change c where c.identity_id = a.identity_id and c.seq = a.applied_seq
             and c.form = 'plaintext' and c.origin_account_id is distinct from a.id) as "holdsNormalized",
           case when ${isClaimed('a.id')} then 'claimed'
                when a.id is null or a.identity_id <> ${change.identityId} then 'unlinked'
                when a.applied_seq > ${change.seq} then 'superseded'
                when a.claimed_seq > ${change.seq} then case when exists (
                  select from change newer where newer.identity_id = a.identity_id
                    and newer.seq = a.claimed_seq and newer.ended_at is null)
                  then 'behind' else 'superseded' end
                else 'in_use' end as verdict
    from mine left join account a on a.id = mine.account_id
      left join lateral (${touches(change.id)}) touched on true
    order by mine.label`.execute(db);
  return rows;
}

/**
 * Condition for account `a` of a source that needs the old password: no older open change may still write it, because
 * its password would be the old one then. A captured password claims its account when it is accepted: a change before
 * that writes the account no more, and waits itself, so it keeps no other one waiting.
 */
const afterOlder = (seq: number) => sql`and not exists (
  select from outcome before join change older on older.id = before.change_id
  where before.account_id = a.id and older.identity_id = a.identity_id and older.ended_at is null
    and older.seq < ${seq} and older.seq >= a.claimed_seq
    and (before.state = 'applying' or (before.state = 'waiting' and before.in_doubt)))`;

const leaseEnd = sql`date_trunc('milliseconds', now()) + make_interval(secs => ${LEASE_SECONDS})`;

/**
 * Whether this statement has claimed the account. PostgreSQL expects one row of `claimed`, so it would compare every
 * account with every other in a join; a subquery in an expression is hashed.
 */
const isClaimed = (account: string) => sql`(${sql.raw(account)} in (select id from claimed))`;

/** A first attempt this long after the plan had to wait, so the password may have been changed in the source since. */
const LATE_AFTER_SECONDS = 10;

/**
 * Reads when other changes last attempted the account of `mine`, or captured its password. Only a late attempt compares
 * it. The condition belongs inside: the other changes of the person may have many outcomes, which are read only then.
 */
const touches = (changeId: string) => sql`
  select greatest(this.planned_at, max(o.updated_at) filter (where o.attempts > 0)) as since,
         max(o.updated_at) > this.planned_at - make_interval(secs => ${(2 * SOURCE_CLOCKS_MS) / 1000}) as before
  from change this left join (change c join outcome o on o.change_id = c.id)
    on c.identity_id = this.identity_id and c.id <> this.id and o.account_id = mine.account_id
  where this.id = ${changeId}
    and (mine.attempts > 0 or this.planned_at < now() - make_interval(secs => ${LATE_AFTER_SECONDS}))
  group by this.planned_at`;

/** Limit of rows: one when this statement has claimed the probe, else `otherwise`; null is no limit. */
const oneIfProbe = (otherwise: number | null) =>
  sql`(select case when exists (select from probe) then 1 else ${otherwise}::int end)`;

/**
 * Up to this number, the accounts that wait for a source look at it themselves soon after its next probe, or the end of
 * its pause, so that the countdown in the Temporal Web UI is that of the account. More of them would cost more than their wake-up.
 */
const FEW_WAITING = 100;
/** The probe gets this time to be answered. */
const AFTER_PROBE_SECONDS = 5;

/**
 * Puts accounts to wait for their source. No attempt is counted, because none was made. The row with the state of the
 * source is locked until the end of the transaction, so that a command which wakes the waiting accounts when the
 * source is up sees these too.
 * @param except labels that this pass has handled already
 * @param jitter from 0 to 1; spreads the fallback check of the accounts over time
 * @returns false when the source is up again; then nothing was changed
 */
export async function holdAccounts(
  db: Database,
  changeId: string,
  chosen: Chosen,
  except: readonly string[],
  jitter: number,
): Promise<boolean> {
  const { rows } = await sql`
    with trouble as (
      select reason, coalesce(next_probe_at, until) as ends_at, until from source_state where source = ${chosen.source} for share
    ), crowd as (
      select count(*) > ${FEW_WAITING} as many from (
        select from outcome where source = ${chosen.source} and state in ('waiting', 'parked')
        limit ${FEW_WAITING + 1}) waiting
    ), mine as (
      select label, state, outcome.reason, trouble.reason as trouble, ends_at, until from outcome, trouble
      where change_id = ${changeId} and ${whereChosen(chosen)} and state in ('pending', 'applying', 'waiting')
        and not label = any(${[...except]}::text[])
      for update of outcome
    ), held as (
      update outcome o
      set state = 'waiting', reason = mine.trouble, vendor_code = null, updated_at = now(),
          in_doubt = o.in_doubt or o.state = 'applying',
          next_try_at = case
            when many or ends_at is null
              then greatest(now(), until) + make_interval(secs => ${(HELD_LOOK_MS * (1 + jitter)) / 1000}::double precision)
            else greatest(now(), ends_at) + make_interval(secs => ${AFTER_PROBE_SECONDS * (1 + jitter)}::double precision)
            end
      from mine, crowd where o.change_id = ${changeId} and o.label = mine.label
    ), audited as (
      insert into audit (actor, action, change_id, subject, detail)
      select 'worker', 'account.waiting', ${changeId}, label, jsonb_build_object('reason', trouble)
      from mine where state <> 'waiting' or reason is distinct from trouble
    )
    select pg_notify(${channels.progress}, ${changeId}) from trouble`.execute(db);
  return rows.length > 0;
}
