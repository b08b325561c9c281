import {
  type HistorySlot,
  type Outage,
  outageText,
  totalsText,
} from '../../model/change/source-history';
import type { SourceHistories, SourceHistory } from '../http/answers';
import type { Output } from '../output';
import { indented } from './change-text';
import { table } from './table';

/** The text of `lockstep sources history`: the totals and outages of each source; for one source also its slots. */

const columns = [
  { title: 'FROM' },
  { title: 'WRITTEN' },
  { title: 'REFUSED' },
  { title: 'WAITING' },
] as const;

export function historyLines(
  output: Output,
  { sources, until }: SourceHistories,
  isDetailed: boolean,
): string[] {
  const now = new Date(until);
  return sources.flatMap((source, index) => [
    ...(index === 0 ? [] : ['']),
    output.paint('bold', source.source),
    ...textLines(output, source, now),
    ...(isDetailed ? ['', ...slotLines(output, source, now)] : []),
  ]);
}

function textLines(output: Output, source: SourceHistory, now: Date): string[] {
  const outages = source.outages.map(outageOf);
  const texts = outages.map((outage) => outageText(outage, (time) => clock(time, now)));
  return [`${totalsText(source.slots.map(slotOf), outages)}.`, ...texts].flatMap((text) =>
    indented(text, output.width),
  );
}

/** Slots in which nothing happened and nothing waited have no row. */
function slotLines(output: Output, source: SourceHistory, now: Date): string[] {
  const slots = source.slots
    .map(slotOf)
    .filter(({ applied, refused, waiting }) => applied + refused + waiting > 0);
  if (slots.length === 0) return ['Nothing was written, and nothing waited.'];
  return table(
    output,
    columns,
    slots.map(({ at, applied, refused, waiting }) => [
      clock(at, now),
      ...[applied, refused, waiting].map(String),
    ]),
  );
}

const slotOf = ({ at, ...slot }: SourceHistory['slots'][number]): HistorySlot => ({
  ...slot,
  at: new Date(at),
});

const outageOf = (outage: SourceHistory['outages'][number]): Outage => ({
  ...outage,
  since: new Date(outage.since),
  until: outage.until === null ? null : new Date(outage.until),
  settledAt: outage.settledAt === null ? null : new Date(outage.settledAt),
});

/** Hours and minutes in the time zone of this machine; with the day, if that is not the day of `now`. */
function clock(time: Date, now: Date): string {
  const two = (part: number) => String(part).padStart(2, '0');
  const hours = `${two(time.getHours())}:${two(time.getMinutes())}`;
  if (time.toDateString() === now.toDateString()) return hours;
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${hours}`;
}
