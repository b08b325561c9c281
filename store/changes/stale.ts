import { sql } from 'kysely';
import { endedInVain } from '../../model/change/change';
import { type AccountHistory, SOURCE_CLOCKS_MS } from '../../model/change/stale';
import type { StoredProblem } from '../../model/people/links';
import { newestWithoutEffect } from '../captures/without-effect';
import type { Database } from '../database';

/** An account that may not hold the newest password of its person. `model/change/stale.ts` decides. */
export interface StaleCandidate extends Omit<AccountHistory, 'enabled'> {
  readonly id: string;
  readonly identity: string;
  readonly source: string;
  readonly account: string;
  /** The newest change of the person in the group of the source; null when there is none. */
  readonly changeId: string | null;
}

export interface StaleFilter {
  /** The sources to search, and the group of each. */
  readonly sources: readonly { readonly name: string; readonly group: string }[];
  readonly identity: string | null;
  readonly limit: number;
  /** The id of the last account of the previous page; null for the first page. */
  readonly cursor: string | null;
}

/**
 * Reads the accounts that `staleness` of `model/change/stale.ts` may find stale, ordered by id. Some of them it does
 * not find stale.
 */
export async function readStaleCandidates(
  db: Database,
  filter: StaleFilter,
): Promise<StaleCandidate[]> {
  const { rows } = await sql<StaleCandidate>`
    with looked_at as (
      select * from unnest(${filter.sources.map(({ name }) => name)}::text[],
                           ${filter.sources.map(({ group }) => group)}::text[]) as l (source, "group")
    )
    select a.id, i.name as identity, a.source, a.name as account, last.id as "changeId",
           coalesce(a.applied_seq >= last.seq, true) as "holdsLast", a.linked_at as "linkedAt",
           a.changed_there_at as "changedThereAt", a.problem, a.problem_at as "problemAt",
           case when o.label is not null
                then json_build_object('state', o.state, 'reason', o.reason, 'proof', o.proof, 'at', o.updated_at,
                                        'acceptedAt', last.created_at) end as outcome,
           case when e.at is not null then json_build_object('at', e.at, 'reason', e.reason, 'changeId', e."changeId") end
             as "withoutEffect"
    from looked_at join account a on a.source = looked_at.source join identity i on i.id = a.identity_id
      left join lateral (
        select c.id, c.seq, c.created_at from change c
        where c.identity_id = i.id and c.groups @> array[looked_at."group"] and c.planned_at is not null and not c.partial
          and c.state <> all(${[...endedInVain]}::text[])
        order by c.seq desc limit 1) last on true
      left join lateral (${newestWithoutEffect}) e on true
      left join outcome o on o.change_id = last.id and o.account_id = a.id
    where (${filter.identity}::text is null or i.name = ${filter.identity})
      and (${filter.cursor}::text is null or a.id > ${filter.cursor})
      and (a.applied_seq < last.seq and (o.state is null or o.state not in ('pending', 'applying', 'waiting'))
           or e.at is not null or a.problem is not null
           or o.state = 'applied' and o.proof = 'none' and o.reason is not null
           or a.changed_there_at < last.created_at - make_interval(secs => ${SOURCE_CLOCKS_MS / 1000})
              and o.state = 'applied' and o.reason is null
           or a.changed_there_at > o.updated_at + make_interval(secs => ${SOURCE_CLOCKS_MS / 1000}))
    order by a.id limit ${filter.limit}`.execute(db);
  return rows.map((row) => ({
    ...row,
    outcome: row.outcome && {
      ...atTime(row.outcome),
      acceptedAt: new Date(row.outcome.acceptedAt),
    },
    withoutEffect: row.withoutEffect && atTime(row.withoutEffect),
  }));
}

/** Parses a time, which JSON returns as text. */
const atTime = <Row extends { readonly at: Date }>(row: Row): Row => ({
  ...row,
  at: new Date(row.at),
});

/** Whether a person has a change that has not ended. */
export async function hasOpenChange(db: Database, identityId: string): Promise<boolean> {
  const open = await db
    .selectFrom('change')
    .select('id')
    .where('identity_id', '=', identityId)
    .where('ended_at', 'is', null)
    .limit(1)
    .executeTakeFirst();
  return open !== undefined;
}

/**
 * Reads linked accounts of a source, ordered by id.
 * @param after the id of the last account of the previous page, or an empty text
 */
export async function readAccountsAfter(
  db: Database,
  source: string,
  after: string,
  limit: number,
): Promise<
  readonly {
    readonly id: string;
    readonly name: string;
    readonly nativeId: string | null;
    readonly idLearnt: boolean;
    readonly problem: StoredProblem | null;
    readonly appliedSeq: number;
  }[]
> {
  return db
    .selectFrom('account')
    .select([
      'id',
      'name',
      'native_id as nativeId',
      'id_learnt as idLearnt',
      'problem',
      'applied_seq as appliedSeq',
    ])
    .where('source', '=', source)
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute();
}

/**
 * Records when the password of each account was last changed, as its source reported it; null where the source
 * reported no time. A time from before a write of Lockstep that has ended since (`appliedSeq`) is ignored.
 */
export async function noteChangedThere(
  db: Database,
  reported: readonly {
    readonly id: string;
    readonly at: Date | null;
    readonly appliedSeq: number;
  }[],
): Promise<void> {
  await sql`
    update account a set changed_there_at = t.at
    from unnest(${reported.map(({ id }) => id)}::text[], ${reported.map(({ at }) => at)}::timestamptz[],
                ${reported.map(({ appliedSeq }) => appliedSeq)}::bigint[]) as t (id, at, seq)
    where a.id = t.id and a.applied_seq = t.seq`.execute(db);
}
