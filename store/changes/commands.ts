import { sql } from 'kysely';
import type { Database } from '../database';
import { channels } from '../notifications';
import { probeSoon } from '../sources/commands';
import type { CommandKind } from '../tables';
import { countOutcomes, type StoredOutcome } from './counters';

/**
 * Gives a command to a change, or to accounts of it that wait. The row is the command: the dispatcher in
 * `worker/changes/dispatcher.ts` carries it out. An account that is being written at that moment is left to its
 * current attempt.
 * @param command.label one account, or null for the whole change
 * @returns false when the change has ended
 */
export async function giveCommand(
  db: Database,
  command: {
    readonly changeId: string;
    readonly kind: Exclude<CommandKind, 'supersede'>;
    readonly label: string | null;
    readonly by: string;
  },
): Promise<boolean> {
  const { rows } = await sql<{ given: string }>`
    with given as (
      insert into command (change_id, kind, label, requested_by)
      select id, ${command.kind}, ${command.label}, ${command.by} from change
      where id = ${command.changeId} and ended_at is null returning change_id
    ), asked_soon as (
      ${probeSoon(sql`${command.kind}::text = 'retry' and source in (
        select source from outcome join given on given.change_id = outcome.change_id
        where state in ('waiting', 'parked') and (${command.label}::text is null or label = ${command.label}))`)}
    ), audited as (
      insert into audit (actor, action, change_id, subject)
      select ${command.by}, ${`command.${command.kind}`}, change_id, ${command.label} from given
    )
    select change_id as given, pg_notify(${channels.commanded}, change_id) from given`.execute(db);
  return rows.length === 1;
}

export interface CommandedAccount {
  readonly label: string;
  readonly source: string;
}

/**
 * Makes waiting and parked accounts of a change due at once.
 * @param labels accounts of the change, or null for all of them
 * @returns the accounts that were waiting or parked
 */
export async function endWait(
  db: Database,
  changeId: string,
  labels: readonly string[] | null,
): Promise<CommandedAccount[]> {
  const { rows } = await sql<CommandedAccount>`
    update outcome set state = 'waiting', next_try_at = now(), updated_at = now()
    where ${whereLabelled(changeId, labels)} and state in ('waiting', 'parked')
    returning label, source`.execute(db);
  return rows;
}

/**
 * Retries accounts whose next attempt is overdue: the engine lost the command to run it, because the attempt before it
 * was just ending there. An account that stays overdue is retried again after the same time.
 * @returns whether there may be more
 */
export async function retryOverdue(db: Database): Promise<boolean> {
  const { rows } = await sql`
    with overdue as (
      update outcome set next_try_at = now()
      where (change_id, label) in (
        select o.change_id, o.label from outcome o join change c on c.id = o.change_id
        where o.state = 'waiting' and o.next_try_at < now() - ${OVERDUE}::interval and c.ended_at is null
        order by o.next_try_at limit ${OVERDUE_AT_ONCE} for update of o skip locked)
      returning change_id, label
    ), retried as (
      insert into command (change_id, kind, label, requested_by)
      select change_id, 'retry', label, 'worker' from overdue returning change_id
    )
    select pg_notify(${channels.commanded}, change_id) from retried`.execute(db);
  return rows.length === OVERDUE_AT_ONCE;
}

const OVERDUE = '10 seconds';
const OVERDUE_AT_ONCE = 50;

/**
 * Parks waiting accounts of a change: they are not tried until an operator retries them. Their next step is the
 * expiry of the change.
 * @param labels accounts of the change, or null for all of them
 */
export async function parkAccounts(
  db: Database,
  changeId: string,
  labels: readonly string[] | null,
): Promise<void> {
  await sql`
    with parked as (
      update outcome set state = 'parked', updated_at = now(),
        next_try_at = (select expires_at from change where id = ${changeId})
      where ${whereLabelled(changeId, labels)} and state = 'waiting' returning change_id, label, reason, attempts
    ), ${audited('parked')}
    select pg_notify(${channels.progress}, ${changeId}) from parked limit 1`.execute(db);
}

/**
 * Cancels unsettled accounts of a change, unless an attempt is running. They keep the password that they have.
 * @param labels accounts of the change, or null for all of them
 * @returns the accounts that were cancelled
 */
export async function cancelAccounts(
  db: Database,
  changeId: string,
  labels: readonly string[] | null,
): Promise<CommandedAccount[]> {
  const { rows } = await sql<CommandedAccount & StoredOutcome>`
    with cancelled as (
      update outcome set state = 'cancelled', reason = null, next_try_at = null, updated_at = now()
      where ${whereLabelled(changeId, labels)} and state in ('pending', 'waiting', 'parked')
      returning change_id, label, source, role, state, reason, attempts
    ), ${audited('cancelled')}
    select label, source, role, cancelled.state, cancelled.reason, false as attempted,
           extract(epoch from now() - created_at)::float8 as seconds,
           pg_notify(${channels.progress}, ${changeId})
    from cancelled join change on change.id = change_id`.execute(db);
  countOutcomes(rows);
  return rows.map(({ label: account, source }) => ({ label: account, source }));
}

const whereLabelled = (changeId: string, labels: readonly string[] | null) =>
  sql`change_id = ${changeId} and (${labels}::text[] is null or label = any(${labels}::text[]))`;

const audited = (became: 'parked' | 'cancelled') => sql`
  audited as (
    insert into audit (actor, action, change_id, subject, detail)
    select 'worker', ${`account.${became}`}, change_id, label,
           jsonb_build_object('reason', reason, 'attempts', attempts, 'proof', 'none')
    from ${sql.ref(became)}
  )`;
