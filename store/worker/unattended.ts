import { sql } from 'kysely';
import type { Database } from '../database';
import type { CommandKind } from '../tables';

/** Open changes that nobody has looked after lately: new ones, and running ones now and then (I2, I12). */
export interface UnattendedChange {
  readonly id: string;
  readonly groups: readonly string[];
  readonly planned: boolean;
}

const START_LEASE = '30 seconds';
const LOOK_AGAIN = '30 minutes';

/** Takes up to `limit` of them; no other worker gets the same ones until the lease ends. */
export async function takeUnattended(db: Database, limit: number): Promise<UnattendedChange[]> {
  const { rows } = await sql<UnattendedChange>`
    update change
    set attended_until = now() + case when planned_at is null then ${START_LEASE}::interval
                                      else ${LOOK_AGAIN}::interval end
    where id in (
      select id from change
      where ended_at is null and (attended_until is null or attended_until < now())
      order by created_at limit ${limit} for update skip locked)
    returning id, groups, planned_at is not null as planned`.execute(db);
  return rows;
}

/** Nobody could be reached to look after them: give them back. */
export async function giveBack(db: Database, ids: readonly string[]): Promise<void> {
  await sql`update change set attended_until = null where id = any(${[...ids]}::text[])`.execute(
    db,
  );
}

export interface OpenCommand {
  readonly id: number;
  readonly changeId: string;
  readonly kind: CommandKind;
  readonly label: string | null;
}

export async function readOpenCommands(db: Database, limit: number): Promise<OpenCommand[]> {
  const { rows } = await sql<OpenCommand>`
    select id, change_id as "changeId", kind, label from command
    where delivered_at is null order by id limit ${limit}`.execute(db);
  return rows;
}

/** Delivering twice does no harm, so a command is marked only after it was passed on. */
export async function markDelivered(db: Database, ids: readonly number[]): Promise<void> {
  await sql`update command set delivered_at = now() where id = any(${[...ids]}::bigint[])`.execute(
    db,
  );
}

/** Sources that accounts of open changes still need, whether the configuration has them or not. */
export async function readNeededSources(db: Database): Promise<string[]> {
  const { rows } = await sql<{ source: string }>`
    select distinct o.source from outcome o join change c on c.id = o.change_id
    where c.ended_at is null and o.state in ('pending', 'applying', 'waiting', 'parked')`.execute(
    db,
  );
  return rows.map(({ source }) => source);
}
