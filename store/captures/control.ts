import { sql } from 'kysely';
import type { NumberedStartpoint, Startpoint } from '../../model/captures/startpoint';
import type { Database } from '../database';
import { channels } from '../notifications';

/** What an operator said of the captures of a source. */
export interface CaptureControl {
  readonly source: string;
  /** Since when none is taken in; null while they are. */
  readonly stoppedAt: Date | null;
  readonly stoppedBy: string | null;
  readonly startpoint: SetStartpoint | null;
}

export interface SetStartpoint extends NumberedStartpoint {
  readonly setAt: Date;
  readonly setBy: string;
  /** What was captured earlier does not count; null: everything does. */
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

export async function readCaptureControls(
  db: Database,
): Promise<ReadonlyMap<string, CaptureControl>> {
  const { rows } = await sql<Row>`select ${columns} from capture_control`.execute(db);
  return new Map(rows.map((row) => [row.source, controlOf(row)]));
}

/** Null: nobody has said anything. */
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
  return { number, startpoint: spelled(from, cursor, notBefore), notBefore, setAt, setBy };
}

function spelled(
  from: Startpoint['from'],
  cursor: string | null,
  notBefore: Date | null,
): Startpoint {
  if (from === 'cursor') return { from, cursor: cursor ?? '' };
  if (from === 'time') return { from, at: notBefore ?? new Date(0) };
  return { from };
}

/** None is taken in until they are started again; relays keep what comes meanwhile. */
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

/** Relays that read their source go there; what was captured before it does not count, however it comes. */
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
      insert into capture_control as known
        (source, startpoint_number, start_from, start_cursor, start_at, startpoint_set_at, startpoint_set_by)
      select source, 1, ${from}, ${cursor}::text,
             case when ${from} = 'end' then now() else ${at}::timestamptz end, now(), ${by}
      from unnest(${[...sources]}::text[]) as source
      on conflict (source) do update set
        startpoint_number = known.startpoint_number + 1, start_from = excluded.start_from,
        start_cursor = excluded.start_cursor, start_at = excluded.start_at,
        startpoint_set_at = excluded.startpoint_set_at, startpoint_set_by = excluded.startpoint_set_by
      returning source
    )
    insert into audit (actor, action, subject, detail)
    select ${by}, 'captures.startpoint', source, jsonb_build_object('from', ${from}::text, 'cursor', ${cursor}::text,
                                                                   'at', ${at}::timestamptz)
    from set`.execute(db);
}
