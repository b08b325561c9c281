import { type RawBuilder, sql } from 'kysely';
import { type ChangeState, hasEnded, type Role } from '../../model/change/change';
import type { CredentialOrigin } from '../../model/change/credential-origin';
import type { HeldFacts } from '../../model/change/holds';
import type { MappingState } from '../../model/change/mapping';
import type { OutcomeState } from '../../model/change/outcome';
import { factsOf, type OutcomeFacts, type OutcomeReason } from '../../model/change/reason';
import { signInObstacles } from '../../model/change/sign-in-prevented';
import { heldReasons } from '../../model/change/source-circuit';
import { SOURCE_CLOCKS_MS } from '../../model/change/stale';
import type { ErrorCode } from '../../model/errors';
import type { Form } from '../../model/hashes/encoding';
import type { TargetPolicy } from '../../model/policy/target-policy';
import { capturedInVain } from '../captures/without-effect';
import type { Database } from '../database';

export interface ChangeView {
  readonly id: string;
  readonly identity: string;
  readonly seq: number;
  readonly groups: readonly string[];
  readonly state: ChangeState;
  readonly reason: ErrorCode | null;
  readonly requestedBy: string;
  readonly form: Form;
  /** True for a change that only updates the stored credential of the account in which the password was changed. */
  readonly partial: boolean;
  /** When the password was changed in one of the accounts; null when a caller requested the change. */
  readonly capturedAt: Date | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly endedAt: Date | null;
  readonly accounts: readonly OutcomeView[];
  readonly mappings: readonly MappingView[];
}

export interface OutcomeView extends OutcomeFacts, HeldFacts {
  readonly reason: OutcomeFacts['reason'];
  readonly label: string;
  readonly source: string;
  /** Name of the account in its source; null while it is not found yet. */
  readonly account: string | null;
  readonly role: Role;
  readonly vendorCode: string | null;
  /** Never in the past: an attempt that is due has the time at which the change was read. */
  readonly nextTryAt: Date | null;
  readonly updatedAt: Date;
  /**
   * The password policies that the source reported in its last check, for an account that a policy refused; null for
   * every other account, and when the source was never checked.
   */
  readonly sourcePolicies: readonly TargetPolicy[] | null;
  /** Who has paused the source: the agent or the name of the API key; null if it is not paused, or the key is gone. */
  readonly pausedBy: string | null;
}

export interface MappingView {
  readonly application: string;
  readonly account: string;
  readonly source: string;
  readonly state: MappingState;
  readonly reason: string | null;
  readonly storedFrom: CredentialOrigin | null;
  readonly appliedSeq: number;
}

/** Reads a change with its accounts and mappings; null when there is no such change. */
export const readChange = (db: Database, id: string): Promise<ChangeView | null> =>
  readWhere(db, sql`id = ${id}`);

/** The same, if it is a change of this person. */
export const readChangeOf = (
  db: Database,
  id: string,
  identityId: string,
): Promise<ChangeView | null> => readWhere(db, sql`id = ${id} and identity_id = ${identityId}`);

async function readWhere(db: Database, condition: RawBuilder<unknown>): Promise<ChangeView | null> {
  const { rows } = await sql<StoredChange>`
    select id, identity_name as identity, seq, groups, state, reason, requested_by_name as "requestedBy", form, partial,
           captured_at as "capturedAt", created_at as "createdAt", expires_at as "expiresAt", ended_at as "endedAt",
           (select coalesce(json_agg(json_build_object(
               'label', o.label, 'source', o.source, 'account', o.account_name, 'role', o.role, 'state', o.state,
               'reason', o.reason, 'vendorCode', o.vendor_code, 'attempts', o.attempts, 'inDoubt', o.in_doubt,
               'proof', o.proof, 'nextTryAt', ${notPast('o.next_try_at')}, 'updatedAt', o.updated_at,
               'isOrigin', o.account_id is not distinct from change.origin_account_id and o.account_id is not null,
               'isOvertaken', coalesce(a.applied_seq > change.seq, false), 'isChangedSince', ${changedSince},
               'trouble', s.reason, 'endsAt', ${notPast('s.ends_at')}, 'pausedBy', s.paused_by,
               'sourcePolicies', ${reportedPolicies}) order by o.position), '[]')
            from outcome o left join account a on a.id = o.account_id and a.identity_id = change.identity_id
              left join ${sourceTrouble} s on s.source = o.source
            where o.change_id = change.id) as accounts,
           (select coalesce(json_agg(json_build_object(
               'application', m.application, 'state', m.state, 'reason', m.reason, 'storedFrom', m.stored_from,
               'appliedSeq', m.applied_seq, 'source', o.source, 'account', coalesce(o.account_name, '')) order by m.application), '[]')
            from outcome o join mapping m on m.account_id = o.account_id
            where o.change_id = change.id) as mappings
    from change where ${condition}`.execute(db);
  const [change] = rows;
  return change === undefined ? null : { ...change, accounts: change.accounts.map(outcomeOf) };
}

type StoredChange = Omit<ChangeView, 'accounts'> & { readonly accounts: readonly StoredOutcome[] };

/** An outcome and the state of its source, with times as JSON returns them. */
interface StoredOutcome
  extends Omit<OutcomeView, 'reason' | 'signInPrevented' | 'nextTryAt' | 'updatedAt'> {
  readonly reason: OutcomeReason | null;
  readonly nextTryAt: string | null;
  readonly updatedAt: string;
  /** Reason why the source is down or paused; null while it is up. */
  readonly trouble: ErrorCode | null;
  /** When the source is probed next, or its pause ends. */
  readonly endsAt: string | null;
}

function outcomeOf({ trouble, endsAt, ...stored }: StoredOutcome): OutcomeView {
  const outcome = {
    ...stored,
    nextTryAt: dateOf(stored.nextTryAt),
    updatedAt: new Date(stored.updatedAt),
  };
  return { ...outcome, ...shownOf({ ...outcome, trouble, endsAt: dateOf(endsAt) }) };
}

const dateOf = (text: string | null): Date | null => (text === null ? null : new Date(text));

/**
 * Whether the source shows that the password of account `a` was changed there after outcome `o`: by a capture that had no
 * effect, or by the time that a look has read.
 */
const changedSince = sql`(
  exists (select from declined_capture d where d.account_id = a.id
            and d.captured_at > case when o.reason = 'origin' then change.captured_at else o.updated_at end)
  or exists (select from change newer where newer.origin_account_id = a.id and newer.identity_id = a.identity_id
               and newer.seq > change.seq and newer.state in (${capturedInVain}))
  or coalesce(o.state = 'applied'
              and a.changed_there_at > o.updated_at + make_interval(secs => ${SOURCE_CLOCKS_MS / 1000}), false))`;

/** Of outcome `o`. */
const reportedPolicies = sql`
  case when o.reason like 'policy%' then (
    select result->'policies' from job
    where job.source = o.source and kind = 'check' and job.state = 'done'
    order by finished_at desc limit 1) end`;

/** What keeps the accounts of each source that is down or paused, until when, and the operator who has paused it. */
export const sourceTrouble = sql`(
  select source, reason, coalesce(next_probe_at, until) as ends_at,
    (select coalesce(k.agent, k.name) from api_key k where 'api-key:' || k.id = set_by) as paused_by
  from source_state)`;

interface WaitingRow {
  readonly state: OutcomeState;
  readonly reason: OutcomeReason | null;
  readonly nextTryAt: Date | null;
  /** Reason why the source is down or paused; null while it is up. */
  readonly trouble: ErrorCode | null;
  readonly endsAt: Date | null;
}

/**
 * The facts that an account shows, and the time of its next attempt. An account that waits for its source shows the
 * current reason of the source. Only a waiting account has a next attempt, and for its turn at a limited source there is
 * no time.
 */
export function shownOf(row: WaitingRow): OutcomeFacts & Pick<OutcomeView, 'nextTryAt'> {
  const { state, reason, trouble } = row;
  if (state === 'waiting' && trouble !== null && heldReasons.some((held) => held === reason))
    return { reason: trouble, signInPrevented: null, nextTryAt: row.endsAt };
  const hasTime = state === 'waiting' && reason !== 'source_at_limit';
  return { ...factsOf(state, reason), nextTryAt: hasTime ? row.nextTryAt : null };
}

/** The time in this column, or the current time if that has passed: then the attempt is due. */
export const notPast = (column: 'o.next_try_at' | 's.ends_at') =>
  sql`case when ${sql.ref(column)} is not null then greatest(${sql.ref(column)}, now()) end`;

/** The groups whose changes a caller may see; null: every group. */
export interface Visibility {
  readonly groups: readonly string[] | null;
}

export interface ListFilter extends Visibility {
  readonly state: ChangeState | null;
  readonly identity: string | null;
  /** Only changes of the person with this id. A name may have belonged to another person. */
  readonly identityId?: string;
  readonly source: string | null;
  /** Only changes with an account that waits, or is parked, for this reason, in `source` if that is given. */
  readonly reason?: ErrorCode | null;
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
  /**
   * How many accounts the change has, not counting those that it does not apply to; `applied` of them hold the new
   * password.
   */
  readonly accounts: number;
  readonly applied: number;
  /** In how many of those that hold it the person cannot sign in. */
  readonly signInsPrevented: number;
}

const obstacles = Object.keys(signInObstacles);

/** Condition for the accounts of change `c`. Without a filter it is empty, so that the list needs no look at accounts. */
function hasAccount({ source, reason = null }: ListFilter): RawBuilder<unknown> {
  if (reason !== null)
    return sql`and c.ended_at is null and c.id in (
      select change_id from outcome where state in ('waiting', 'parked') and reason = ${reason}
        and (${source}::text is null or source = ${source}))`;
  if (source === null) return sql``;
  return sql`and exists (select from outcome where change_id = c.id and source = ${source})`;
}

/** Lists changes, the newest first. Ids grow with time, so the last id of a page is the cursor to the next page. */
export async function listChanges(db: Database, filter: ListFilter): Promise<ChangeSummary[]> {
  const { rows } = await sql<ChangeSummary>`
    select c.id, c.identity_name as identity, c.groups, c.state,
           c.created_at as "createdAt", c.ended_at as "endedAt", o.accounts, o.applied, o."signInsPrevented"
    from change c cross join lateral (
      select count(*) filter (where state <> 'not_applicable')::int as accounts,
             count(*) filter (where state = 'applied')::int as applied,
             count(*) filter (where state = 'applied' and reason = any(${obstacles}::text[]))::int as "signInsPrevented"
      from outcome where change_id = c.id) o
    where (${filter.cursor}::text is null or c.id < ${filter.cursor})
      and (${filter.state}::text is null or c.state = ${filter.state})
      and (${filter.identity}::text is null or lower(c.identity_name) = lower(${filter.identity}))
      and (${filter.identityId ?? null}::text is null or c.identity_id = ${filter.identityId ?? null})
      and (${filter.groups === null}::boolean or c.groups && ${[...(filter.groups ?? [])]}::text[])
      ${filter.state !== null && !hasEnded(filter.state) ? sql`and c.ended_at is null` : sql``}
      ${hasAccount(filter)}
    order by c.id desc limit ${filter.limit}`.execute(db);
  return rows;
}
