import { sql } from 'kysely';
import {
  type PauseReason,
  type SourceState,
  type SourceTrouble,
  WAKE_PER_SECOND,
} from '../../model/change/source-circuit';
import type { Database } from '../database';

/**
 * What is wrong with sources as a whole. A source without a row is up. Every transition is one statement with its audit
 * record; one that comes too late, because somebody else was first, changes nothing.
 */

/** By the name of the source; those that are up are left out. */
export async function readSourceStates(db: Database): Promise<Map<string, SourceState>> {
  const rows = await db
    .selectFrom('source_state')
    .select(['source', 'condition', 'reason', 'since', 'set_by', 'failures', 'next_probe_at'])
    .execute();
  return new Map(
    rows.map(({ source, condition, reason, since, set_by, failures, next_probe_at }) => [
      source,
      condition === 'paused'
        ? { state: condition, reason: reason as PauseReason, since, by: set_by }
        : {
            state: condition,
            reason: reason as SourceTrouble,
            since,
            failures,
            nextProbeAt: next_probe_at ?? since,
          },
    ]),
  );
}

/**
 * An answer says that the source is in trouble. Whoever finds out at the same time adds nothing.
 * @returns whether this changed anything
 */
export async function openCircuit(
  db: Database,
  source: string,
  reason: SourceTrouble,
  nextProbeInMs: number,
): Promise<boolean> {
  const { rows } = await sql`
    with opened as (
      insert into source_state (source, condition, reason, set_by, failures, next_probe_at)
      values (${source}, 'down', ${reason}, 'worker', 1, now() + ${milliseconds(nextProbeInMs)})
      on conflict (source) do nothing returning source
    ), audited as (
      insert into audit (actor, action, subject, detail)
      select 'worker', 'source.down', source, jsonb_build_object('reason', ${reason}::text) from opened
    )
    select source from opened`.execute(db);
  return rows.length === 1;
}

/**
 * A probe has failed: those whom somebody began to wake go on waiting.
 * @param reason null when the probe was cut off before anything was said
 */
export async function prolongCircuit(
  db: Database,
  source: string,
  reason: SourceTrouble | null,
  failures: number,
  nextProbeInMs: number,
): Promise<void> {
  await sql`
    with prolonged as (
      update source_state
      set reason = coalesce(${reason}, reason), failures = ${failures}, probing_until = null,
          next_probe_at = now() + ${milliseconds(nextProbeInMs)}
      where source = ${source} and condition = 'down' returning source
    )
    ${nobodyIsWoken('prolonged')}`.execute(db);
}

/** The probe that was taken cannot be made by who took it; somebody else may. */
export async function returnProbe(db: Database, source: string): Promise<void> {
  await sql`update source_state set probing_until = null where source = ${source}`.execute(db);
}

/**
 * Nobody asks the source until it is resumed. What an operator has paused stays his.
 * @returns whether this changed anything
 */
export async function pauseSource(
  db: Database,
  source: string,
  reason: PauseReason,
  by: string,
): Promise<boolean> {
  const { rows } = await sql`
    with paused as (
      insert into source_state (source, condition, reason, set_by)
      values (${source}, 'paused', ${reason}, ${by})
      on conflict (source) do update
      set condition = 'paused', reason = excluded.reason, set_by = excluded.set_by, since = now(),
          failures = 0, next_probe_at = null, probing_until = null
      where source_state.condition <> 'paused' or (source_state.set_by = 'worker' and excluded.set_by <> 'worker')
      returning source
    ), audited as (
      insert into audit (actor, action, subject, detail)
      select ${by}, 'source.paused', source, jsonb_build_object('reason', ${reason}::text) from paused
    ), left_waiting as (
      ${nobodyIsWoken('paused')}
    )
    select source from paused`.execute(db);
  return rows.length === 1;
}

/**
 * - `down`: a probe was answered.
 * - `paused`: somebody resumes it.
 * - `by_worker`: what the worker found wrong is put right: another configuration, or a login that succeeded. What an
 *   operator has paused stays so.
 */
export type Ended = 'down' | 'paused' | 'by_worker';

const conditions: Readonly<Record<Ended, ReturnType<typeof sql>>> = {
  down: sql`condition = 'down'`,
  paused: sql`condition = 'paused'`,
  by_worker: sql`set_by = 'worker'`,
};

/**
 * The source is up, and all that wait for it are woken, one after the other.
 * @returns whether this changed anything
 */
export async function reopenSource(
  db: Database,
  source: string,
  ended: Ended,
  by: string,
): Promise<boolean> {
  const { rows } = await sql`
    with gone as (
      delete from source_state where source = ${source} and ${conditions[ended]}
      returning source, condition
    ), waking as (
      insert into source_command (source, kind, per_second, requested_by)
      select source, 'wake', ${WAKE_PER_SECOND}, ${by} from gone
    ), audited as (
      insert into audit (actor, action, subject)
      select ${by}, case condition when 'paused' then 'source.resumed' else 'source.up' end, source from gone
    )
    select source from gone`.execute(db);
  return rows.length === 1;
}

/** Longer than a probe takes; then whoever took it is gone, and another one may. */
const PROBE_LEASE_SECONDS = 60;

/** Where a step stands that is about to ask a source. */
export interface Gate {
  /** The source is not to be asked now. */
  readonly held: boolean;
  /** Failures so far, when this step is the probe of a source that is down; else null. */
  readonly probe: number | null;
}

/**
 * Two CTEs for a statement that is about to ask `source`: `trouble` has a row when the source is not up, `probe` has one when
 * this statement has got the probe. Of many at once, one gets it: the others find it taken when they have the row.
 * @param wanted a CTE without rows when there is nothing to ask; then the probe is left to somebody else
 */
export const gateOf = (source: string, wanted: string) => sql`
  trouble as (
    select source from source_state where source = ${source}
  ), probe as (
    update source_state set probing_until = now() + make_interval(secs => ${PROBE_LEASE_SECONDS})
    where source = ${source} and next_probe_at <= now() and (probing_until is null or probing_until < now())
      and exists (select from ${sql.ref(wanted)})
    returning failures
  )`;

/** The columns of `Gate`, for a statement with `gateOf`. */
export const gateColumns = sql`
  exists (select from trouble) and not exists (select from probe) as held,
  (select failures from probe) as probe`;

const milliseconds = (count: number) =>
  sql`make_interval(secs => ${count / 1000}::double precision)`;

const nobodyIsWoken = (changed: string) => sql`
  update source_command set finished_at = now()
  where kind in ('wake', 'retry') and finished_at is null and source in (select source from ${sql.ref(changed)})`;
