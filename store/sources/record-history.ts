import { sql } from 'kysely';
import {
  type HistoryEntries,
  type HistoryRecord,
  historyEntries,
  type OutageStep,
  SLOT_MINUTES,
} from '../../model/change/source-history';
import type { Database } from '../database';

/** Records of the audit chain that one call reads. */
const BATCH = 1000;
/** Longer than the 24 hours that are shown, and than the slots are long. */
const KEPT_HOURS = 26;

/**
 * Adds the audit records that were chained since the last call to the history of the sources, at most 1000. It follows
 * the chain, because no record can come before one that has a position. Only one process does this at a time.
 * @returns whether there may be more
 */
export async function recordHistory(db: Database): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    const position = await positionOf(trx);
    if (position === null) return false;
    const { records, last } = await recordsAfter(trx, position);
    if (last !== null) {
      await record(trx, historyEntries(records));
      await sql`update history_position set position = ${last}`.execute(trx);
    }
    await summarizeOutages(trx);
    return last !== null && last - position >= BATCH;
  });
}

/** Removes what is older than a history shows. */
export async function forgetHistory(db: Database): Promise<void> {
  const old = sql`now() - make_interval(hours => ${KEPT_HOURS})`;
  await sql`delete from history_slot where at < ${old}`.execute(db);
  await sql`delete from history_wait where ended_at < ${old}`.execute(db);
  await sql`delete from history_outage where is_final and until < ${old}`.execute(db);
}

async function positionOf(trx: Database): Promise<number | null> {
  const { rows } = await sql<{ position: number }>`
    select position from history_position for update skip locked`.execute(trx);
  return rows[0]?.position ?? null;
}

async function recordsAfter(
  trx: Database,
  position: number,
): Promise<{ readonly records: readonly HistoryRecord[]; readonly last: number | null }> {
  const { rows } = await sql<HistoryRecord & { position: number }>`
    select a.position, a.at, a.action, a.detail ->> 'reason' as reason, o.change_id as change, o.label,
           coalesce(o.source, a.subject, '') as source
    from audit a left join outcome o
      on o.change_id = a.change_id and o.label = a.subject and starts_with(a.action, 'account.')
    where a.position > ${position} order by a.position limit ${BATCH}`.execute(trx);
  return { records: rows, last: rows.at(-1)?.position ?? null };
}

async function record(trx: Database, entries: HistoryEntries): Promise<void> {
  const begun = await beginWaits(trx, entries.waits);
  const ended = await endWaits(trx, entries.settled);
  await count(trx, [...entries.counts, ...begun, ...ended]);
  for (const step of entries.steps) await take(trx, step);
}

interface Counted {
  readonly source: string;
  readonly at: Date;
  readonly kind: 'applied' | 'refused' | 'begun' | 'ended';
}

/** @returns the accounts that did not wait before */
async function beginWaits(trx: Database, waits: HistoryEntries['waits']): Promise<Counted[]> {
  if (waits.length === 0) return [];
  const { rows } = await sql<{ source: string; at: Date; isNew: boolean }>`
    insert into history_wait (change_id, label, source, since, for_source)
    select w.* from unnest(
      ${waits.map(({ change }) => change)}::text[], ${waits.map(({ label }) => label)}::text[],
      ${waits.map(({ source }) => source)}::text[], ${waits.map(({ at }) => at)}::timestamptz[],
      ${waits.map(({ forSource }) => forSource)}::boolean[]) as w (change_id, label, source, since, for_source)
    where exists (select from change where id = w.change_id)
    on conflict (change_id, label) do update
      set for_source = history_wait.for_source or excluded.for_source
    returning source, since as at, xmax = 0 as "isNew"`.execute(trx);
  return rows.filter(({ isNew }) => isNew).map((row) => ({ ...row, kind: 'begun' }));
}

async function endWaits(trx: Database, settled: HistoryEntries['settled']): Promise<Counted[]> {
  if (settled.length === 0) return [];
  const { rows } = await sql<{ source: string; at: Date }>`
    update history_wait w set ended_at = greatest(s.at, w.since), ended_as = s.state
    from unnest(
      ${settled.map(({ change }) => change)}::text[], ${settled.map(({ label }) => label)}::text[],
      ${settled.map(({ at }) => at)}::timestamptz[], ${settled.map(({ state }) => state)}::text[])
      as s (change_id, label, at, state)
    where w.change_id = s.change_id and w.label = s.label and w.ended_at is null
    returning w.source, w.ended_at as at`.execute(trx);
  return rows.map((row) => ({ ...row, kind: 'ended' }));
}

async function count(trx: Database, counted: readonly Counted[]): Promise<void> {
  if (counted.length === 0) return;
  await sql`
    insert into history_slot (source, at, applied, refused, waits_begun, waits_ended)
    select source, ${slotOf(sql`at`, SLOT_MINUTES)},
           count(*) filter (where kind = 'applied'), count(*) filter (where kind = 'refused'),
           count(*) filter (where kind = 'begun'), count(*) filter (where kind = 'ended')
    from unnest(
      ${counted.map(({ source }) => source)}::text[], ${counted.map(({ at }) => at)}::timestamptz[],
      ${counted.map(({ kind }) => kind)}::text[]) as counted (source, at, kind)
    group by 1, 2
    on conflict (source, at) do update set
      applied = history_slot.applied + excluded.applied,
      refused = history_slot.refused + excluded.refused,
      waits_begun = history_slot.waits_begun + excluded.waits_begun,
      waits_ended = history_slot.waits_ended + excluded.waits_ended`.execute(trx);
}

/** The start of the slot that contains a time. */
export const slotOf = (time: ReturnType<typeof sql>, minutes: number) =>
  sql`date_bin(make_interval(mins => ${minutes}), ${time}, timestamptz '2000-01-01 00:00Z')`;

/** Begins or ends an outage. A pause in place of an outage ends it; the same pause again, with another end, does not. */
async function take(trx: Database, { source, at, began }: OutageStep): Promise<void> {
  await sql`
    update history_outage set until = greatest(${at}, since)
    where source = ${source} and until is null
      and (condition, reason) is distinct from (${began?.condition ?? null}, ${began?.reason ?? null})`.execute(
    trx,
  );
  if (began === null) return;
  await sql`
    insert into history_outage (source, condition, reason, since)
    select ${source}, ${began.condition}, ${began.reason}, ${at}
    where not exists (select from history_outage where source = ${source} and until is null)`.execute(
    trx,
  );
}

/**
 * Counts what became of the accounts that waited in each outage, until the last of them is settled. An outage is not
 * final for a minute, because the record of an account may be chained after that of its source.
 */
async function summarizeOutages(trx: Database): Promise<void> {
  await sql`
    update history_outage h
    set waited = s.waited, applied = s.applied, unsettled = s.unsettled, settled_at = s.settled_at,
        is_final = ${isFinal}
    from (
      select h.id, count(w.change_id)::int as waited,
             count(*) filter (where w.ended_as = 'applied')::int as applied,
             count(w.change_id) filter (where w.ended_at is null)::int as unsettled,
             max(w.ended_at) as settled_at
      from history_outage h left join history_wait w
        on w.source = h.source and w.for_source and w.since < coalesce(h.until, 'infinity')
          and (w.ended_at is null or w.ended_at >= h.since)
      where not h.is_final group by h.id) s
    where s.id = h.id and (
      (h.waited, h.applied, h.unsettled, h.settled_at) is distinct from (s.waited, s.applied, s.unsettled, s.settled_at)
      or ${isFinal})`.execute(trx);
}

/** Never null: an outage that lasts is not final. */
const isFinal = sql`(coalesce(h.until, 'infinity') < now() - interval '1 minute' and s.unsettled = 0)`;
