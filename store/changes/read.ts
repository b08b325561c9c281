import { sql } from 'kysely';
import type { ChangeState, Role } from '../../model/change/change';
import type { MappingState } from '../../model/change/mapping';
import type { OutcomeState, Proof } from '../../model/change/outcome';
import { factsOf, type OutcomeFacts, type OutcomeReason } from '../../model/change/reason';
import { signInObstacles } from '../../model/change/sign-in-prevented';
import { heldReasons } from '../../model/change/source-circuit';
import type { ErrorCode } from '../../model/errors';
import type { Form } from '../../model/hashes/encoding';
import type { TargetPolicy } from '../../model/policy/target-policy';
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
  /** When the password was changed in one of the accounts; null when a caller requested the change. */
  readonly capturedAt: Date | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly endedAt: Date | null;
  readonly accounts: readonly OutcomeView[];
  readonly mappings: readonly MappingView[];
}

export interface OutcomeView extends OutcomeFacts {
  readonly label: string;
  readonly source: string;
  /** Name of the account in its source; null while it is not found yet. */
  readonly account: string | null;
  readonly role: Role;
  readonly state: OutcomeState;
  readonly vendorCode: string | null;
  readonly attempts: number;
  readonly inDoubt: boolean;
  readonly proof: Proof;
  /** Never in the past: an attempt that is due has the time at which the change was read. */
  readonly nextTryAt: Date | null;
  readonly updatedAt: Date;
  /**
   * The password policies that the source reported in its last check, for an account that a policy refused; null for
   * every other account, and when the source was never checked.
   */
  readonly sourcePolicies: readonly TargetPolicy[] | null;
}

export interface MappingView {
  readonly application: string;
  readonly account: string;
  readonly source: string;
  readonly state: MappingState;
  readonly reason: string | null;
  readonly appliedSeq: number;
}

/** Reads a change with its accounts and mappings; null when there is no such change. */
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
        notPast('next_try_at').as('nextTryAt'),
        'updated_at as updatedAt',
        'source_state.reason as trouble',
        notPast('next_probe_at').as('nextProbeAt'),
        reportedPolicies.as('sourcePolicies'),
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
      ...shownOf({ ...account, trouble, nextProbeAt }),
    })),
    mappings: mappings.map((row) => ({ ...row, account: row.account ?? '' })),
  };
}

const reportedPolicies = sql<readonly TargetPolicy[] | null>`
  case when outcome.reason like 'policy%' then (
    select result->'policies' from job
    where job.source = outcome.source and kind = 'check' and job.state = 'done'
    order by finished_at desc limit 1) end`;

interface WaitingRow {
  readonly state: OutcomeState;
  readonly reason: OutcomeReason | null;
  readonly nextTryAt: Date | null;
  /** Reason why the source is down or paused; null while it is up. */
  readonly trouble: ErrorCode | null;
  readonly nextProbeAt: Date | null;
}

/**
 * The facts that an account shows, and the time of its next attempt. An account that waits for its source shows the
 * current reason of the source. Only a waiting account has a next attempt.
 */
function shownOf(row: WaitingRow): OutcomeFacts & Pick<OutcomeView, 'nextTryAt'> {
  const { state, reason, trouble } = row;
  if (state === 'waiting' && trouble !== null && heldReasons.some((held) => held === reason))
    return { reason: trouble, signInPrevented: null, nextTryAt: row.nextProbeAt };
  return { ...factsOf(state, reason), nextTryAt: state === 'waiting' ? row.nextTryAt : null };
}

/** The time in this column, or the current time if that has passed: then the attempt is due. */
const notPast = (column: 'next_try_at' | 'next_probe_at') =>
  sql<Date | null>`case when ${sql.ref(column)} is not null then greatest(${sql.ref(column)}, now()) end`;

/** The groups whose changes a caller may see; null: every group. */
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
      and (${filter.identity}::text is null or c.identity_name = ${filter.identity})
      and (${filter.groups === null}::boolean or c.groups && ${[...(filter.groups ?? [])]}::text[])
      and (${filter.source}::text is null or exists (
        select from outcome where change_id = c.id and source = ${filter.source}))
    order by c.id desc limit ${filter.limit}`.execute(db);
  return rows;
}
