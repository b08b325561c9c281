import { sql } from 'kysely';
import {
  automaticPauses,
  type PauseReason,
  type SourceState,
  type SourceTrouble,
  WAKE_PER_SECOND,
} from '../../model/change/source-circuit';
import type { Database } from '../database';
import { sourceNotices } from '../notices/write';

/** Reads the state of each source that is down or paused, by its name. A source that is missing in the map is up. */
export async function readSourceStates(db: Database): Promise<Map<string, SourceState>> {
  const rows = await db
    .selectFrom('source_state')
    .select(['source', 'condition', 'reason', 'since', 'set_by', 'failures'])
    .select(['next_probe_at', 'until'])
    .select(
      sql<string | null>`
        (select coalesce(k.agent, k.name) from api_key k where 'api-key:' || k.id = set_by)`.as(
        'by_name',
      ),
    )
    .execute();
  return new Map(
    rows.map(({ source, condition, reason, since, set_by, by_name, ...row }) => [
      source,
      condition === 'paused'
        ? {
            ...{ state: condition, reason: reason as PauseReason, since, by: set_by },
            ...{ until: row.until, ...(by_name === null ? {} : { byName: by_name }) },
          }
        : {
            state: condition,
            reason: reason as SourceTrouble,
            since,
            failures: row.failures,
            nextProbeAt: row.next_probe_at ?? since,
          },
    ]),
  );
}

/** The sources that are paused, and the time by the clock of the database. */
export async function readPauses(db: Database): Promise<{
  readonly now: Date;
  readonly pauses: readonly {
    readonly source: string;
    readonly by: string;
    readonly until: Date | null;
  }[];
}> {
  const { rows } = await sql<{ now: Date; source: string | null; by: string; until: Date | null }>`
    select now() as now, source, set_by as by, until
    from (select 1) as one left join source_state on condition = 'paused'`.execute(db);
  const pauses = rows.flatMap(({ source, by, until }) =>
    source === null ? [] : [{ source, by, until }],
  );
  return { now: rows[0]?.now as Date, pauses };
}

/**
 * Marks a source as down. When it is down or paused already, nothing is changed: another attempt was first.
 * @returns whether the source was up before
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
    ), noticed as (${sourceNotices('source_down', 'opened', sql`${reason}`)})
    select source from opened`.execute(db);
  return rows.length === 1;
}

/**
 * Records that a probe of a source that is down has failed. Accounts that a command had begun to wake go on waiting.
 * @param reason null when the probe ended without an answer; then the earlier reason stays
 * @param failures failures in a row, counting the answer that opened the circuit and this probe
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
    ${cancelWakeUps('prolonged')}`.execute(db);
}

/** Gives back a probe that the step which claimed it cannot make, so that another step may make it. */
export async function returnProbe(db: Database, source: string): Promise<void> {
  await sql`update source_state set probing_until = null where source = ${source}`.execute(db);
}

/**
 * Pauses a source: Lockstep does not ask it until it is resumed. A pause by an operator replaces any other one, but not
 * the other way round. A maintenance window causes no notice, because it is expected.
 * @param until when the pause ends by itself; null if it has to be ended
 * @returns whether this changed anything
 */
export async function pauseSource(
  db: Database,
  source: string,
  reason: PauseReason,
  by: string,
  until: Date | null = null,
): Promise<boolean> {
  const { rows } = await sql`
    with paused as (
      insert into source_state (source, condition, reason, set_by, until)
      values (${source}, 'paused', ${reason}, ${by}, ${until})
      on conflict (source) do update
      set condition = 'paused', reason = excluded.reason, set_by = excluded.set_by, since = now(),
          failures = 0, next_probe_at = null, probing_until = null, until = excluded.until
      where source_state.condition <> 'paused' or not ${isAutomatic(sql`excluded.set_by`)} and (
        ${isAutomatic(sql`source_state.set_by`)} or source_state.until is distinct from excluded.until)
        or (source_state.set_by = 'maintenance' and excluded.set_by = 'maintenance'
            and source_state.until is distinct from excluded.until)
      returning source
    ), audited as (
      insert into audit (actor, action, subject, detail)
      select ${by}, 'source.paused', source, jsonb_build_object('reason', ${reason}::text, 'until', ${until}::timestamptz) from paused
    ), reported as (
      select source from paused where ${reason} <> 'source_in_maintenance'
    ), noticed as (${sourceNotices('source_paused', 'reported', sql`${reason}`)}
    ), left_waiting as (
      ${cancelWakeUps('paused')}
    )
    select source from paused`.execute(db);
  return rows.length === 1;
}

const isAutomatic = (by: ReturnType<typeof sql>) =>
  sql`${by} = any(${[...automaticPauses]}::text[])`;

/**
 * What has ended the trouble of a source.
 * - `down`: a probe was answered.
 * - `paused`: an operator resumed the source.
 * - `maintenance`: its maintenance window has ended.
 * - `in_time`: the time has come at which the pause of an operator ends.
 * - `by_worker`: the problem that the worker had found is solved, as a new configuration or a successful login shows.
 *   A pause by an operator stays.
 */
export type TroubleEnd = 'down' | 'paused' | 'maintenance' | 'in_time' | 'by_worker';

const conditions: Readonly<Record<TroubleEnd, ReturnType<typeof sql>>> = {
  down: sql`condition = 'down'`,
  paused: sql`condition = 'paused'`,
  maintenance: sql`set_by = 'maintenance'`,
  in_time: sql`set_by <> 'maintenance' and until <= now()`,
  by_worker: sql`set_by = 'worker'`,
};

/**
 * Marks a source as up, and wakes the accounts that wait for it, `WAKE_PER_SECOND` in the first second.
 * @returns whether this changed anything
 */
export async function reopenSource(
  db: Database,
  source: string,
  ended: TroubleEnd,
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
    ), noticed as (${sourceNotices('source_up', 'gone')})
    select source from gone`.execute(db);
  return rows.length === 1;
}

/** Lease of a probe in seconds. It is longer than any probe takes; after it another step may make the probe. */
const PROBE_LEASE_SECONDS = 60;

/** Whether a step that wants to ask a source may do so. */
export interface Gate {
  /** True when the source must not be asked now. */
  readonly held: boolean;
  /** When this step is the probe of a source that is down: failures in a row so far. Otherwise null. */
  readonly probe: number | null;
}

/**
 * Two CTEs for a statement that is about to ask `source`. `trouble` has a row when the source is down or paused.
 * `probe` has a row when this statement has claimed the probe; of many statements at the same time only one claims
 * it.
 * @param wanted name of a CTE that has no rows when there is nothing to ask; then the probe is left to another step
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

/** The columns of `Gate`, for a statement that contains `gateOf`. */
export const gateColumns = sql`
  exists (select from trouble) and not exists (select from probe) as held,
  (select failures from probe) as probe`;

const milliseconds = (count: number) =>
  sql`make_interval(secs => ${count / 1000}::double precision)`;

/** Part of a statement that ends the commands which were waking accounts of the sources in CTE `changed`. */
const cancelWakeUps = (changed: string) => sql`
  update source_command set finished_at = now()
  where kind in ('wake', 'retry') and finished_at is null and source in (select source from ${sql.ref(changed)})`;
