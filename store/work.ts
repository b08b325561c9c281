import { sql } from 'kysely';
import type { ChangeState, Role } from '../model/change';
import type { Person } from '../model/correlation';
import type { Reason } from '../model/errors';
import type { AttemptResult, OutcomeState, SettledState } from '../model/outcome';
import type { LeaveOutCode, LinkedAccount } from '../model/plan';
import type { Database } from './database';
import { channels } from './notifications';
import { supersedeOlder } from './supersede';

/** What the worker reads and writes while a change is under way. Each write is one statement, so it happens or it does not. */

export interface ChangeAtWork {
  readonly id: string;
  readonly identityId: string;
  readonly person: Person;
  readonly seq: number;
  readonly groups: readonly string[];
  readonly state: ChangeState;
  readonly ended: boolean;
  readonly planned: boolean;
  /** Whoever asked for it still may: the API key is in use, and good for these groups. */
  readonly authorized: boolean;
  readonly expiresAt: Date;
  /** By the clock of the database; 0 when it is too old. */
  readonly remainingMs: number;
  readonly accounts: readonly LinkedAccount[];
  /** Null when it is destroyed or too old. */
  readonly sealed: { readonly epochId: string; readonly jwe: Buffer } | null;
  /** Of the configuration in force now. */
  readonly configurationVersion: number;
}

export async function readWork(db: Database, changeId: string): Promise<ChangeAtWork | null> {
  const { rows } = await sql<
    Omit<ChangeAtWork, 'person' | 'sealed'> &
      Person & { epochId: string | null; jwe: Buffer | null }
  >`
    select c.id, c.identity_id as "identityId", i.name, i.attributes, c.seq, c.groups, c.state,
           c.ended_at is not null as ended, c.planned_at is not null as planned,
           exists (select from api_key k
                   where k.id = c.requested_by and k.revoked_at is null
                     and (k.groups is null or k.groups @> c.groups)) as authorized,
           c.expires_at as "expiresAt", greatest(0, extract(epoch from c.expires_at - now()) * 1000)::float8 as "remainingMs",
           (select coalesce(max(version), 0) from configuration) as "configurationVersion",
           s.epoch_id as "epochId", s.jwe,
           coalesce((select json_agg(json_build_object(
                       'id', a.id, 'source', a.source, 'name', a.name, 'primary', a.is_primary)
                       order by a.is_primary desc, a.linked_at, a.id)
                     from account a where a.identity_id = c.identity_id), '[]') as accounts
    from change c join identity i on i.id = c.identity_id
      left join sealed_secret s on s.change_id = c.id and s.expires_at > now()
    where c.id = ${changeId}`.execute(db);
  const [row] = rows;
  if (row === undefined) return null;
  const { name, attributes, epochId, jwe, ...work } = row;
  const sealed = epochId === null || jwe === null ? null : { epochId, jwe };
  return { ...work, person: { name, attributes }, sealed };
}

export interface UnfoundAccount {
  readonly label: string;
  readonly source: string;
}

/** Unsettled accounts of this source that still have to be found by correlation. */
export async function readUnfound(
  db: Database,
  changeId: string,
  chosen: Chosen,
): Promise<UnfoundAccount[]> {
  const { rows } = await sql<UnfoundAccount>`
    select label, source from outcome
    where change_id = ${changeId} and account_id is null and state in ('pending', 'waiting')
      and ${whereChosen(chosen)}`.execute(db);
  return rows;
}

/** The account of an outcome is found. */
export async function noteFound(
  db: Database,
  changeId: string,
  label: string,
  account: { readonly id: string; readonly name: string },
): Promise<void> {
  await sql`update outcome set account_id = ${account.id}, account_name = ${account.name}
            where change_id = ${changeId} and label = ${label}`.execute(db);
}

/** Which outcomes of a change: those of a role in a source, or one by its label. */
export type Chosen =
  | { readonly source: string; readonly role: Role }
  | { readonly source: string; readonly label: string };

export const isChosen = (
  chosen: Chosen,
  outcome: { readonly source: string; readonly role: Role; readonly label: string },
): boolean =>
  'label' in chosen
    ? outcome.label === chosen.label
    : outcome.source === chosen.source && outcome.role === chosen.role;

const whereChosen = (chosen: Chosen) =>
  'label' in chosen
    ? sql`label = ${chosen.label}`
    : sql`source = ${chosen.source} and role = ${chosen.role}`;

export interface ClaimedAccount {
  readonly label: string;
  readonly source: string;
  readonly role: Role;
  readonly accountId: string;
  readonly name: string;
  readonly nativeId: string | null;
  /** This attempt included. */
  readonly attempts: number;
  /** An earlier attempt may have written the password: look first. */
  readonly inDoubt: boolean;
  /** The password was changed there, and this change has not written it. */
  readonly origin: boolean;
  /** Why the attempt before did not settle it. */
  readonly lastReason: Reason | null;
  readonly verdict: ClaimVerdict;
}

/**
 * - `claimed`: ours until the lease ends; nobody else writes it.
 * - `superseded`: a newer change has written it, or has begun to.
 * - `in_use`: the step of an older change is still running.
 * - `unlinked`: the account does not belong to the person any more.
 */
export type ClaimVerdict = 'claimed' | 'superseded' | 'in_use' | 'unlinked';

/** Longer than all that one claim can lead to: `CLAIM_AT_ONCE` accounts, each within the hard deadline of a connector. */
const LEASE_SECONDS = 180;
/** Fewer than this were claimed: there are no more. */
export const CLAIM_AT_ONCE = 50;

/**
 * Claims unsettled accounts, a handful at once, and counts the attempt, durably, before anything is sent: after a crash the next attempt
 * finds the account in state `applying` and knows that it is in doubt.
 * @param except labels that this pass has already been over
 */
export async function claimAccounts(
  db: Database,
  change: { readonly id: string; readonly seq: number; readonly identityId: string },
  chosen: Chosen,
  except: readonly string[] = [],
): Promise<ClaimedAccount[]> {
  const { rows } = await sql<ClaimedAccount>`
    with mine as (
      select label, source, role, account_id, attempts, state, in_doubt, reason from outcome
      where change_id = ${change.id} and account_id is not null
        and state in ('pending', 'applying', 'waiting') and ${whereChosen(chosen)}
        and not label = any(${[...except]}::text[])
      order by position limit ${CLAIM_AT_ONCE} for update
    ), claimed as (
      update account a
      set claimed_seq = ${change.seq}, claimed_until = now() + make_interval(secs => ${LEASE_SECONDS})
      from mine
      where a.id = mine.account_id and a.identity_id = ${change.identityId}
        and a.applied_seq <= ${change.seq} and a.claimed_seq <= ${change.seq}
        and (a.claimed_seq = ${change.seq} or a.claimed_until is null or a.claimed_until < now())
      returning a.id
    ), begun as (
      update outcome o
      set state = 'applying', attempts = o.attempts + 1, in_doubt = o.in_doubt or o.state = 'applying',
          next_try_at = null, updated_at = now()
      from mine join claimed on claimed.id = mine.account_id
      where o.change_id = ${change.id} and o.label = mine.label
    )
    select mine.label, mine.source, mine.role, mine.account_id as "accountId", a.name, a.native_id as "nativeId",
           mine.attempts + 1 as attempts, mine.reason as "lastReason", mine.in_doubt or mine.state = 'applying' as "inDoubt",
           mine.attempts = 0 and mine.account_id is not distinct from
             (select origin_account_id from change where id = ${change.id}) as origin,
           case when claimed.id is not null then 'claimed'
                when a.id is null or a.identity_id <> ${change.identityId} then 'unlinked'
                when a.applied_seq > ${change.seq} or a.claimed_seq > ${change.seq} then 'superseded'
                else 'in_use' end as verdict
    from mine left join claimed on claimed.id = mine.account_id left join account a on a.id = mine.account_id
    order by mine.label`.execute(db);
  return rows;
}

/** What an attempt came to, or why there was none. */
export interface Settlement {
  readonly label: string;
  readonly accountId: string | null;
  readonly state: SettledState | 'waiting';
  readonly reason: Reason | LeaveOutCode | null;
  readonly vendorCode: AttemptResult['vendorCode'];
  readonly proof: AttemptResult['proof'];
  readonly inDoubt: boolean;
  /** For `waiting`: from now. */
  readonly nextTryInMs: number | null;
}

/**
 * Records what came of the accounts and frees them. An outcome that is settled stays as it is. Once the auth account
 * holds the new password, older changes of the person have nothing left to do: they are told so.
 */
export async function settleAccounts(
  db: Database,
  change: { readonly id: string; readonly seq: number; readonly identityId: string },
  settled: readonly Settlement[],
): Promise<void> {
  await sql`
    with result as (
      select * from unnest(
        ${settled.map(({ label }) => label)}::text[], ${settled.map((s) => s.accountId)}::text[],
        ${settled.map(({ state }) => state)}::text[], ${settled.map(({ reason }) => reason)}::text[],
        ${settled.map((s) => s.vendorCode)}::text[], ${settled.map(({ proof }) => proof)}::text[],
        ${settled.map(({ inDoubt }) => inDoubt)}::boolean[],
        ${settled.map((s) => s.nextTryInMs)}::double precision[]
      ) as r (label, account_id, state, reason, vendor_code, proof, in_doubt, next_try_in_ms)
    ), recorded as (
      update outcome o
      set state = r.state, reason = r.reason, vendor_code = r.vendor_code, proof = r.proof,
          in_doubt = r.in_doubt, updated_at = now(),
          next_try_at = now() + make_interval(secs => r.next_try_in_ms / 1000)
      from result r
      where o.change_id = ${change.id} and o.label = r.label
        and o.state in ('pending', 'applying', 'waiting')
      returning o.label, o.role, o.account_id, o.state, o.reason, o.attempts, o.proof
    ), freed as (
      update account a
      set claimed_until = null,
          applied_seq = case when recorded.state = 'applied' then greatest(a.applied_seq, ${change.seq})
                             else a.applied_seq end
      from recorded
      where a.id = recorded.account_id and a.claimed_seq = ${change.seq}
    ), audited as (
      insert into audit (actor, action, change_id, subject, detail)
      select 'worker', 'account.' || state, ${change.id}, label,
             jsonb_build_object('reason', reason, 'attempts', attempts, 'proof', proof)
      from recorded
    ), superseding as (${supersedeOlder(change.id, 'recorded')})
    select pg_notify(${channels.progress}, ${change.id}),
           (select count(pg_notify(${channels.accepted}, change_id)) from superseding)`.execute(db);
}

/** Where one account of a change stands. */
export interface Standing {
  readonly label: string;
  readonly source: string;
  readonly role: Role;
  readonly state: OutcomeState;
  readonly reason: Reason | LeaveOutCode | null;
  readonly inDoubt: boolean;
  /** 0 when it may be tried at once. */
  readonly nextTryInMs: number;
}

export async function readStandings(db: Database, changeId: string): Promise<Standing[]> {
  const { rows } = await sql<Standing>`
    select label, source, role, state, reason, in_doubt as "inDoubt",
           greatest(0, coalesce(extract(epoch from next_try_at - now()) * 1000, 0))::float8 as "nextTryInMs"
    from outcome where change_id = ${changeId} order by position`.execute(db);
  return rows;
}

/** Only while it is under way; how a change ends is for `endChange`. */
export async function setChangeState(
  db: Database,
  changeId: string,
  state: 'applying' | 'waiting',
): Promise<void> {
  await sql`
    with moved as (
      update change set state = ${state}
      where id = ${changeId} and ended_at is null and state <> ${state} returning id
    )
    select pg_notify(${channels.progress}, id) from moved`.execute(db);
}
