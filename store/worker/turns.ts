import { sql } from 'kysely';
import { HELD_LOOK_MS, MOST_WOKEN_PER_SECOND } from '../../model/change/source-circuit';
import type { Limits } from '../../model/configuration/limits';
import { type Database, withTransaction } from '../database';
import { channels } from '../notifications';
import { wokenOf } from '../sources/commands';
import { type Chosen, whereChosen } from './chosen';

/**
 * The turns of a source with limits (decision 0042). A step that is about to write accounts takes a turn for each of
 * them; accounts without a turn wait, without an attempt, and are woken in the order of their changes. The rows are the
 * state that all workers share.
 */

/** Accounts that may be written now. */
export interface Turns {
  /** Null when no turn was taken. */
  readonly id: string | null;
  readonly labels: readonly string[];
  /** Whether accounts are left that have no turn. */
  readonly isFull: boolean;
}

/** A turn that was not returned counts as taken for this time. It is longer than the lease of the claims. */
const LEASE_SECONDS = 120;
/** Largest number of accounts in one step: as many as it writes within their leases. */
const MOST_IN_A_STEP = 50;

/**
 * Takes a turn for each chosen account that is open, as far as the limits allow. Accounts that do not wait in line yet
 * get none while others do.
 * @param except labels that this pass has handled already
 */
export async function takeTurns(
  db: Database,
  changeId: string,
  chosen: Chosen,
  limits: Limits,
  except: readonly string[],
): Promise<Turns> {
  return withTransaction(db, async (trx) => {
    await sql`select pg_advisory_xact_lock(hashtextextended(${`turns ${chosen.source}`}, 0))`.execute(
      trx,
    );
    const { rows } = await sql<Turns>`
      with open as (
        select label, position, ${inLine(sql`outcome`)} as in_line from outcome
        where change_id = ${changeId} and state in ('pending', 'applying', 'waiting') and ${whereChosen(chosen)}
          and not label = any(${[...except]}::text[])
      ), outdated as (
        delete from source_turn where source = ${chosen.source} and until < statement_timestamp()
          and taken_at < statement_timestamp() - ${windowOf(limits)}
      ), granted as (
        select label from open
        where in_line or not exists (
          select from outcome other
          where other.source = ${chosen.source} and ${inLine(sql`other`)} and other.next_try_at > statement_timestamp()
            and other.change_id <> ${changeId})
        order by position limit least(${MOST_IN_A_STEP}::int, ${freeTurns(chosen.source, limits)})
      ), taken as (
        insert into source_turn (source, accounts, until)
        select ${chosen.source}, count(*), statement_timestamp() + make_interval(secs => ${LEASE_SECONDS})
        from granted having count(*) > 0
        returning id::text
      )
      select (select id from taken) as id, array(select label from granted) as labels,
             (select count(*) from open) > (select count(*) from granted) as "isFull"`.execute(trx);
    return rows[0] as Turns;
  });
}

/** Ends turns. They go on to count for the rate. */
export async function returnTurns(db: Database, { id }: Turns): Promise<void> {
  if (id !== null)
    await sql`update source_turn set until = statement_timestamp() where id = ${id}::bigint`.execute(
      db,
    );
}

/** Puts the chosen accounts that are open in line. No attempt is counted. */
export async function waitInLine(
  db: Database,
  changeId: string,
  chosen: Chosen,
  except: readonly string[],
  jitter: number,
): Promise<void> {
  await sql`
    with mine as (
      select label, ${inLine(sql`outcome`)} as in_line from outcome
      where change_id = ${changeId} and ${whereChosen(chosen)} and state in ('pending', 'applying', 'waiting')
        and not label = any(${[...except]}::text[]) for update
    ), waiting as (
      update outcome o
      set state = 'waiting', reason = 'source_at_limit', vendor_code = null, updated_at = now(),
          in_doubt = o.in_doubt or o.state = 'applying',
          next_try_at = now() + make_interval(secs => ${(HELD_LOOK_MS * (1 + jitter)) / 1000}::double precision)
      from mine where o.change_id = ${changeId} and o.label = mine.label
    ), audited as (
      insert into audit (actor, action, change_id, subject, detail)
      select 'worker', 'account.waiting', ${changeId}, label, jsonb_build_object('reason', 'source_at_limit')
      from mine where in_line is not true
    )
    select pg_notify(${channels.progress}, ${changeId}) from mine limit 1`.execute(db);
}

/**
 * Wakes the next accounts in line, those of the oldest changes first, as many as there are free turns. While the source
 * is down or paused, none is woken. Accounts that were woken and were not tried yet are subtracted.
 * @param limits null for a source that has no limits any more
 */
export async function wakeNextInLine(
  db: Database,
  source: string,
  limits: Limits | null,
): Promise<void> {
  const free = limits === null ? sql`${MOST_WOKEN_PER_SECOND}::int` : freeTurns(source, limits);
  await sql`
    with next as (
      select o.change_id, o.label from outcome o join change c on c.id = o.change_id
      where c.ended_at is null and o.source = ${source} and ${inLine(sql`o`)} and o.next_try_at > now()
        and not exists (select from source_state s where s.source = ${source})
      order by c.created_at, c.id, o.position
      limit greatest(0, ${free} - (${wokenOf(sql`${source}`)})) for update of o skip locked
    ), due as (
      update outcome o set next_try_at = now(), updated_at = now() from next
      where o.change_id = next.change_id and o.label = next.label
    ), woken as (
      insert into command (change_id, kind, label, requested_by)
      select change_id, 'retry', label, 'worker' from next returning change_id
    )
    select pg_notify(${channels.commanded}, change_id) from woken`.execute(db);
}

/** The sources that have accounts in line. */
export async function sourcesWithLines(db: Database): Promise<string[]> {
  const { rows } = await sql<{ source: string }>`
    select distinct source from outcome where ${inLine(sql`outcome`)}`.execute(db);
  return rows.map(({ source }) => source);
}

const inLine = (outcome: ReturnType<typeof sql>) =>
  sql`(${outcome}.state = 'waiting' and ${outcome}.reason is not distinct from 'source_at_limit')`;

const windowOf = ({ windowMs }: Limits) =>
  sql`make_interval(secs => ${windowMs / 1000}::double precision)`;

/** How many accounts of a source may be begun now. */
const freeTurns = (source: string, limits: Limits) => sql`(
  select greatest(0, least(
    ${limits.perWindow}::int - coalesce(sum(accounts) filter (
      where taken_at > statement_timestamp() - ${windowOf(limits)}), 0),
    ${limits.atOnce}::int - coalesce(sum(accounts) filter (where until > statement_timestamp()), 0)))::int
  from source_turn where source = ${source})`;
