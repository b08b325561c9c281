import { sql } from 'kysely';
import { heldReasons, MOST_WOKEN_PER_SECOND } from '../../model/change/source-circuit';
import type { Database } from '../database';
import { channels } from '../notifications';
import type { SourceCommandKind } from '../tables';

/**
 * Gives a command to all accounts of open changes that wait on a source or are parked there. `handOutCommands` passes
 * it on to their changes, `perSecond` accounts each second.
 * @param command.reason only the accounts that wait for this reason; null for all
 * @param command.by the actor for the audit
 * @returns how many accounts wait or are parked now
 */
export async function giveSourceCommand(
  db: Database,
  command: {
    readonly source: string;
    readonly kind: Exclude<SourceCommandKind, 'wake'>;
    readonly perSecond: number;
    readonly reason: string | null;
    readonly by: string;
  },
): Promise<number> {
  const { source, kind, perSecond, reason, by } = command;
  const { rows } = await sql<{ accounts: number }>`
    with affected as (
      select count(*)::int as accounts from outcome o join change c on c.id = o.change_id
      where c.ended_at is null and o.source = ${source} and o.state in ('waiting', 'parked')
        and (${reason}::text is null or o.reason = ${reason})
    ), given as (
      insert into source_command (source, kind, per_second, reason, requested_by)
      values (${source}, ${kind}, ${perSecond}, ${reason}, ${by})
    ), asked_soon as (
      ${probeSoon(sql`${kind}::text = 'retry' and source = ${source}`)}
    ), audited as (
      insert into audit (actor, action, subject, detail)
      select ${by}, ${`source.${kind}`}, ${source}, jsonb_strip_nulls(jsonb_build_object(
        'accounts', accounts, 'perSecond', ${perSecond}::int, 'reason', ${reason}::text))
      from affected
    )
    select accounts from affected`.execute(db);
  return rows[0]?.accounts ?? 0;
}

/**
 * Part of a statement that makes the probe of a source that is down due at once. Still only one account makes the
 * probe.
 */
export const probeSoon = (which: ReturnType<typeof sql>) => sql`
  update source_state set next_probe_at = now() where condition = 'down' and ${which}`;

/** Makes the probe of a source that is down due at once. `sendProbes` sends an account. */
export async function probeNow(db: Database, source: string, by: string): Promise<void> {
  await sql`
    with due as (${probeSoon(sql`source = ${source}`)} returning source)
    insert into audit (actor, action, subject) select ${by}, 'source.probe', source from due`.execute(
    db,
  );
}

/**
 * Hands the oldest command that is due to the next accounts, those of the oldest changes first. A source gets its
 * commands one after the other. A wake-up starts slowly, doubles its rate each second, and stops while the accounts
 * that it has woken are not tried, so that neither the source nor the worker is flooded. Outcomes that were updated
 * after the command was issued were already handled.
 * @returns whether a command was due
 */
export async function handOutCommands(db: Database): Promise<boolean> {
  const { rows } = await sql`
    with due as (
      select id, source, kind, per_second, reason, requested_by, created_at,
             case when kind = 'wake' then greatest(0, per_second - (${wokenOf(sql`given.source`)})) else per_second end
               as allowed
      from source_command given
      where finished_at is null and next_at <= now() and not exists (
        select from source_command older
        where older.source = given.source and older.finished_at is null and older.id < given.id)
      order by id limit 1 for update skip locked
    ), chosen as (
      select o.change_id, o.label, o.position, c.created_at
      from due join outcome o on o.source = due.source join change c on c.id = o.change_id
      where c.ended_at is null and o.updated_at < due.created_at
        and (due.reason is null or o.reason = due.reason)
        and case due.kind when 'park' then o.state = 'waiting'
                          when 'wake' then o.state = 'waiting' and o.reason = any(${[...heldReasons]}::text[])
                          else o.state in ('waiting', 'parked') end
      order by c.created_at, c.id, o.position limit (select allowed from due)
    ), moved as (
      update outcome o set updated_at = now() from chosen
      where o.change_id = chosen.change_id and o.label = chosen.label
    ), given as (
      insert into command (change_id, kind, label, requested_by)
      select chosen.change_id, case kind when 'wake' then 'retry' else kind end, label, requested_by
      from due, chosen order by chosen.created_at, chosen.change_id, position
    ), audited as (
      insert into audit (actor, action, change_id, subject)
      select requested_by, 'command.' || kind, change_id, label from due, chosen where kind <> 'wake'
    ), went_on as (
      update source_command
      set next_at = now() + interval '1 second',
          per_second = case when due.kind = 'wake' and due.allowed > due.per_second / 2
                            then greatest(due.per_second, least(2 * due.per_second, ${MOST_WOKEN_PER_SECOND}::int))
                            else due.per_second end,
          finished_at = case when (select count(*) from chosen) < due.allowed then now() end
      from due where source_command.id = due.id
    )
    select id, (select count(pg_notify(${channels.commanded}, change_id)) from chosen) from due`.execute(
    db,
  );
  return rows.length > 0;
}

/**
 * Counts the accounts of a source that were woken in the last ten seconds and were not tried since. An account that is
 * never tried, because an operator has paused its activity, does not stop the others.
 */
const wokenOf = (source: ReturnType<typeof sql>) => sql`
  select count(*)::int from outcome woken
  where woken.source = ${source} and woken.state = 'waiting' and woken.next_try_at <= now()
    and woken.updated_at > now() - interval '10 seconds'`;

/**
 * Sends an account to probe each source whose probe is overdue. Usually the first account that is tried after the due
 * time makes the probe; this serves sources where no account was tried, for example because it was cancelled. An
 * account that waits behind another change cannot make the probe, so it is sent only if no other account waits.
 */
export async function sendProbes(db: Database): Promise<void> {
  await sql`
    with overdue as (
      select source from source_state
      where next_probe_at < now() - interval '2 seconds' and (probing_until is null or probing_until < now())
    ), sent as (
      insert into command (change_id, kind, label, requested_by)
      select change_id, 'retry', label, 'worker'
      from overdue cross join lateral (
        select o.change_id, o.label from outcome o join change c on c.id = o.change_id
        where c.ended_at is null and o.source = overdue.source and o.state = 'waiting'
        order by o.reason is not distinct from 'account_in_use', random() limit 1) as prober
      returning change_id
    )
    select pg_notify(${channels.commanded}, change_id) from sent`.execute(db);
}
