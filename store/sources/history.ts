import { sql } from 'kysely';
import {
  type CountedSlot,
  HISTORY_HOURS,
  type HistorySlot,
  type Outage,
  slotsOf,
} from '../../model/change/source-history';
import type { Database } from '../database';
import { slotOf } from './record-history';

export interface SourceHistory {
  readonly slots: readonly HistorySlot[];
  /** The newest first. */
  readonly outages: readonly Outage[];
}

/** A source that goes down again and again has a page of outages, not one for each probe. */
const MOST_OUTAGES = 50;

/** Reads the last 24 hours of some sources, by their names. */
export async function readHistory(
  db: Database,
  sources: readonly string[],
  slotMinutes: number,
): Promise<{ readonly until: Date; readonly histories: ReadonlyMap<string, SourceHistory> }> {
  const { rows } = await sql<Row>`
    select w.source, now() as now,
           (select count(*) from history_wait where source = w.source and ended_at is null)::int as "waitingNow",
           (select coalesce(json_agg(s), '[]') from (
              select ${slotOf(sql`at`, slotMinutes)} as at, sum(applied)::int as applied, sum(refused)::int as refused,
                     sum(waits_begun)::int as "waitsBegun", sum(waits_ended)::int as "waitsEnded"
              from history_slot where source = w.source and at > ${daysAgo} group by 1) s) as slots,
           (select coalesce(json_agg(o), '[]') from (
              select condition, reason, since, until, waited, applied, unsettled, settled_at as "settledAt"
              from history_outage where source = w.source and (until is null or until > ${daysAgo})
              order by since desc limit ${MOST_OUTAGES}) o) as outages
    from unnest(${[...sources]}::text[]) as w (source)`.execute(db);
  const until = rows[0]?.now ?? new Date();
  return {
    until,
    histories: new Map(
      rows.map(({ source, waitingNow, slots, outages }) => [
        source,
        {
          slots: slotsOf(slots.map(withTime), waitingNow, until, slotMinutes),
          outages: outages.map(outageOf),
        },
      ]),
    ),
  };
}

const daysAgo = sql`now() - make_interval(hours => ${HISTORY_HOURS})`;

/** Times inside JSON are texts. */
interface Row {
  readonly source: string;
  readonly now: Date;
  readonly waitingNow: number;
  readonly slots: readonly (Omit<CountedSlot, 'at'> & { readonly at: string })[];
  readonly outages: readonly (Omit<Outage, 'since' | 'until' | 'settledAt'> & {
    readonly since: string;
    readonly until: string | null;
    readonly settledAt: string | null;
  })[];
}

const withTime = ({ at, ...slot }: Row['slots'][number]): CountedSlot => ({
  ...slot,
  at: new Date(at),
});

const outageOf = ({ since, until, settledAt, ...outage }: Row['outages'][number]): Outage => ({
  ...outage,
  since: new Date(since),
  until: until === null ? null : new Date(until),
  settledAt: settledAt === null ? null : new Date(settledAt),
});
