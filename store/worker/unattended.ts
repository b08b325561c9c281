import { sql } from 'kysely';
import { type Database, withoutSync } from '../database';
import type { CommandKind } from '../tables';

/**
 * An open change whose workflow has to be started or checked: a new one at once, a running one every 30 minutes (I2,
 * I12).
 */
export interface UnattendedChange {
  readonly id: string;
  readonly groups: readonly string[];
  readonly planned: boolean;
}

/** Time until a change that is not planned yet is attended again. */
const START_LEASE = '30 seconds';
/** Time until the workflow of a planned change is checked again. */
export const LOOK_AGAIN = '30 minutes';

/**
 * Claims up to `limit` open changes that are due, new ones first and the oldest of them before the others. No other
 * worker gets them until they are due again. A claim that a crash of the database undoes is made again, and a second
 * start of a workflow has no effect.
 */
export async function claimUnattended(db: Database, limit: number): Promise<UnattendedChange[]> {
  const { rows } = await sql<UnattendedChange>`
    update change
    set attended_until = now() + case when planned_at is null then ${START_LEASE}::interval
                                      else ${LOOK_AGAIN}::interval end
    where id in (
      select id from change
      where ended_at is null and coalesce(attended_until, '-infinity'::timestamptz) < now()
      order by coalesce(attended_until, '-infinity'::timestamptz), created_at limit ${limit} for update skip locked)
    returning id, groups, planned_at is not null as planned, ${withoutSync}`.execute(db);
  return rows;
}

/** Makes claimed changes due again at once, because the engine could not be reached or has lost their workflow. */
export async function releaseChanges(db: Database, ids: readonly string[]): Promise<void> {
  await sql`update change set attended_until = null where id = any(${[...ids]}::text[])`.execute(
    db,
  );
}

/** A command that was not passed on yet; `label` is one account, or null for the whole change. */
export interface OpenCommand {
  readonly id: number;
  readonly changeId: string;
  readonly kind: CommandKind;
  readonly label: string | null;
}

/** Reads commands that were not passed on yet, the oldest first. */
export async function readOpenCommands(db: Database, limit: number): Promise<OpenCommand[]> {
  const { rows } = await sql<OpenCommand>`
    select id, change_id as "changeId", kind, label from command
    where delivered_at is null order by id limit ${limit}`.execute(db);
  return rows;
}

/** Marks commands as passed on. Passing a command on twice has no further effect, so this is done afterwards. */
export async function markDelivered(db: Database, ids: readonly number[]): Promise<void> {
  await sql`update command set delivered_at = now() where id = any(${[...ids]}::bigint[])`.execute(
    db,
  );
}

/** Reads the sources that accounts of open changes still need, whether or not they are in the configuration. */
export async function readNeededSources(db: Database): Promise<string[]> {
  const { rows } = await sql<{ source: string }>`
    select distinct o.source from outcome o join change c on c.id = o.change_id
    where c.ended_at is null and o.state in ('pending', 'applying', 'waiting', 'parked')`.execute(
    db,
  );
  return rows.map(({ source }) => source);
}
