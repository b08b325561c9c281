import { sql } from 'kysely';
import { isNews, type NoticeKind } from '../../model/notices/kinds';
import { type Database, withTransaction } from '../database';

/** Only one worker turns notices into deliveries at a time, so that each decision sees what was sent before. */
const SPREAD_LOCK = 0x6e6f7465;

/** The kinds about one subject that follow each other: of a source, or of a relay. */
const FOLLOWING = sql`('source_down', 'source_paused', 'source_up', 'relay_silent', 'relay_heard')`;

/** For how long a notice also goes to the addresses that a person had before. */
const FORMER_FOR = '30 days';

/** A notice that is due, with the facts that decide whether and where it is sent. */
export interface NoticeToSpread {
  readonly id: string;
  readonly kind: NoticeKind;
  readonly subject: string | null;
  readonly reminder: boolean;
  readonly overtaken: boolean;
  readonly lastSent: NoticeKind | null;
  /** Attributes of the person; null for a notice to operators. */
  readonly attributes: Readonly<Record<string, string>> | null;
  readonly formerAddresses: readonly { readonly attribute: string; readonly address: string }[];
  /** The only recipient of a test; null for the recipients of the channel. */
  readonly recipient: string | null;
}

/** Where a notice is sent. `reason` is set when it cannot be sent there. */
export interface Destination {
  readonly channel: string;
  readonly recipient: string | null;
  readonly reason: 'no_address' | null;
}

/**
 * Turns the notices that are due into deliveries, in one transaction. A notice that reports nothing new, or that no
 * channel takes, is withdrawn.
 * @param readDestinations returns the destinations of a notice by the configuration in force; not called without a notice
 * @returns how many notices were due
 */
export async function spreadNotices(
  db: Database,
  limit: number,
  readDestinations: () => Promise<(notice: NoticeToSpread) => readonly Destination[]>,
): Promise<number> {
  return withTransaction(db, async (trx) => {
    const lock = await sql<{ got: boolean }>`
      select pg_try_advisory_xact_lock(${SPREAD_LOCK}) as got`.execute(trx);
    if (lock.rows[0]?.got !== true) return 0;
    const due = await readDue(trx, limit);
    if (due.length === 0) return 0;
    const destinationsOf = await readDestinations();
    for (const notice of due) {
      // What was sent before may have been sent in this transaction.
      const lastSent = await lastSentOf(trx, notice.subject);
      const destinations = isNews({ ...notice, lastSent }) ? destinationsOf(notice) : [];
      await spreadOne(trx, notice.id, destinations);
    }
    return due.length;
  });
}

async function readDue(db: Database, limit: number): Promise<NoticeToSpread[]> {
  const { rows } = await sql<NoticeToSpread>`
    select n.id, n.kind, n.subject, n.reminder, null as "lastSent", n.detail ->> 'recipient' as recipient,
           exists (select from notice later
                   where later.subject = n.subject and later.number > n.number
                     and later.kind in ${FOLLOWING}) as overtaken,
           i.attributes,
           coalesce((select json_agg(json_build_object('attribute', f.attribute, 'address', f.address))
                     from former_address f
                     where f.identity_id = n.identity_id
                       and f.replaced_at > now() - ${FORMER_FOR}::interval), '[]') as "formerAddresses"
    from notice n left join identity i on i.id = n.identity_id
    where n.state = 'new' and n.due_at <= now()
    order by n.number limit ${limit}`.execute(db);
  return rows;
}

async function lastSentOf(db: Database, subject: string | null): Promise<NoticeKind | null> {
  if (subject === null) return null;
  const { rows } = await sql<{ kind: NoticeKind }>`
    select kind from notice
    where subject = ${subject} and kind in ${FOLLOWING} and state in ('sending', 'sent')
    order by number desc limit 1`.execute(db);
  return rows[0]?.kind ?? null;
}

async function spreadOne(
  db: Database,
  noticeId: string,
  destinations: readonly Destination[],
): Promise<void> {
  await sql`
    with delivery as (
      insert into notice_delivery (notice_id, channel, recipient, state, reason)
      select ${noticeId}, channel, recipient, case when reason is null then 'waiting' else 'skipped' end, reason
      from unnest(${destinations.map(({ channel }) => channel)}::text[],
                  ${destinations.map(({ recipient }) => recipient)}::text[],
                  ${destinations.map(({ reason }) => reason)}::text[]) as d (channel, recipient, reason)
      returning state
    )
    update notice
    set state = case when exists (select from delivery where state = 'waiting') then 'sending'
                     when exists (select from delivery) then 'sent' else 'withdrawn' end
    where id = ${noticeId}`.execute(db);
}

/** For how long a workflow that was started is expected to be running, before it is started again. */
const ATTENDED_FOR = '10 minutes';

/** Claims notices whose workflow is to be started, or to be checked again. @returns their ids */
export async function claimUnattendedNotices(db: Database, limit: number): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    update notice set attended_until = now() + ${ATTENDED_FOR}::interval
    where id in (
      select id from notice
      where state = 'sending' and (attended_until is null or attended_until < now())
      order by due_at limit ${limit} for update skip locked)
    returning id`.execute(db);
  return rows.map(({ id }) => id);
}

/** Makes notices due for a start again, because the engine could not be reached. */
export async function releaseNotices(db: Database, ids: readonly string[]): Promise<void> {
  await sql`update notice set attended_until = null where id = any(${[...ids]}::text[])`.execute(
    db,
  );
}
