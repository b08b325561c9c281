import { sql } from 'kysely';
import type { NumberedStartpoint, Startpoint } from '../../model/captures/startpoint';
import type { Database } from '../database';
import { channels } from '../notifications';

/** What an operator has set for the captures of a source. */
export interface CaptureControl {
  readonly source: string;
  /** Since when captures are not ingested; null while they are. */
  readonly stoppedAt: Date | null;
  readonly stoppedBy: string | null;
  readonly startpoint: SetStartpoint | null;
}

export interface SetStartpoint extends NumberedStartpoint {
  readonly setAt: Date;
  readonly setBy: string;
  /** Captures from before this time are ignored; null: none is. */
  readonly notBefore: Date | null;
}

interface Row {
  readonly source: string;
  readonly stoppedAt: Date | null;
  readonly stoppedBy: string | null;
  readonly number: number;
  readonly from: Startpoint['from'] | null;
  readonly cursor: string | null;
  readonly notBefore: Date | null;
  readonly setAt: Date | null;
  readonly setBy: string | null;
}

const columns = sql`
  source, stopped_at as "stoppedAt", stopped_by as "stoppedBy", startpoint_number as number, start_from as "from",
  start_cursor as cursor, start_at as "notBefore", startpoint_set_at as "setAt", startpoint_set_by as "setBy"`;

/**
 * Reads what operators have set for captures, by source. A source for which nothing was set is missing in the map.
 */
export async function readCaptureControls(
  db: Database,
): Promise<ReadonlyMap<string, CaptureControl>> {
  const { rows } = await sql<Row>`select ${columns} from capture_control`.execute(db);
  return new Map(rows.map((row) => [row.source, controlOf(row)]));
}

/** Reads what an operator has set for the captures of one source; null when nothing was set. */
export async function readCaptureControl(
  db: Database,
  source: string,
): Promise<CaptureControl | null> {
  const { rows } = await sql<Row>`
    select ${columns} from capture_control where source = ${source}`.execute(db);
  return rows[0] ? controlOf(rows[0]) : null;
}

const controlOf = (row: Row): CaptureControl => ({
  source: row.source,
  stoppedAt: row.stoppedAt,
  stoppedBy: row.stoppedBy,
  startpoint: startpointOf(row),
});

function startpointOf(row: Row): SetStartpoint | null {
  const { number, from, cursor, notBefore, setAt, setBy } = row;
  if (from === null || setAt === null || setBy === null) return null;
  return { number, startpoint: startpointFrom(from, cursor, notBefore), notBefore, setAt, setBy };
}

function startpointFrom(
  from: Startpoint['from'],
  cursor: string | null,
  notBefore: Date | null,
): Startpoint {
  if (from === 'cursor') return { from, cursor: cursor ?? '' };
  if (from === 'time') return { from, at: notBefore ?? new Date(0) };
  return { from };
}

/** Stops ingesting captures of these sources until they are started again. Relays keep the captures of that time. */
export async function stopCaptures(
  db: Database,
  sources: readonly string[],
  by: string,
): Promise<void> {
  await sql`
    with stopped as (
      insert into capture_control (source, stopped_at, stopped_by)
      select source, now(), ${by} from unnest(${[...sources]}::text[]) as source
      on conflict (source) do update set stopped_at = now(), stopped_by = excluded.stopped_by
        where capture_control.stopped_at is null
      returning source
    )
    insert into audit (actor, action, subject) select ${by}, 'captures.stopped', source from stopped`.execute(
    db,
  );
}

/**
 * Starts ingesting captures of these sources again, and wakes the workers for those that relays have submitted in the
 * meantime.
 */
export async function startCaptures(
  db: Database,
  sources: readonly string[],
  by: string,
): Promise<void> {
  await sql`
    with started as (
      update capture_control set stopped_at = null, stopped_by = null
      where source = any(${[...sources]}::text[]) and stopped_at is not null
      returning source
    ), audited as (
      insert into audit (actor, action, subject) select ${by}, 'captures.started', source from started
    )
    select pg_notify(${channels.captured}, source) from started`.execute(db);
}

/**
 * Sets the startpoint of these sources. Relays that read their source continue from there; captures from before it
 * are ignored, whichever way they arrive.
 */
export async function setStartpoint(
  db: Database,
  sources: readonly string[],
  startpoint: Startpoint,
  by: string,
): Promise<void> {
  const { from } = startpoint;
  const cursor = from === 'cursor' ? startpoint.cursor : null;
  const at = from === 'time' ? startpoint.at : null;
  await sql`
    with set as (
      insert into capture_control as previous
        (source, startpoint_number, start_from, start_cursor, start_at, startpoint_set_at, startpoint_set_by)
      select source, 1, ${from}, ${cursor}::text,
             case when ${from} = 'end' then now() else ${at}::timestamptz end, now(), ${by}
      from unnest(${[...sources]}::text[]) as source
      on conflict (source) do update set
        startpoint_number = previous.startpoint_number + 1, start_from = excluded.start_from,
        start_cursor = excluded.start_cursor, start_at = excluded.start_at,
        startpoint_set_at = excluded.startpoint_set_at, startpoint_set_by = excluded.startpoint_set_by
      returning source
    )
    insert into audit (actor, action, subject, detail)
    select ${by}, 'captures.startpoint', source, jsonb_build_object('from', ${from}::text, 'cursor', ${cursor}::text,
                                                                   'at', ${at}::timestamptz)
    from set`.execute(db);
}
