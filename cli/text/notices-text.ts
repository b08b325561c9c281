import { deliveryReasons } from '../../model/notices/retry';
import type { Notice } from '../http/answers';
import type { Output, Style } from '../output';
import { indented } from './change-text';
import { type Cell, table } from './table';
import { relative } from './times';

type Delivery = Notice['deliveries'][number];

const columns = [
  { title: 'NOTICE' },
  { title: 'ABOUT', cut: 'first' },
  { title: 'HAPPENED' },
  { title: 'CHANNEL', cut: 'last' },
  { title: 'STATE' },
] as const;

const styles: Readonly<Record<Delivery['state'], Style>> = {
  delivered: 'green',
  waiting: 'yellow',
  failed: 'red',
  skipped: 'dim',
};

/** A row for each delivery, then each distinct cause once with what to do about it. */
export function noticeLines(output: Output, notices: readonly Notice[], now: number): string[] {
  if (notices.length === 0) return ['There is no notice.'];
  const rows = notices.flatMap((notice) => rowsOf(notice, now));
  return [...table(output, columns, rows), ...causes(output, notices)];
}

/** The deliveries of one notice. */
export function deliveryLines(output: Output, notice: Notice, now: number): string[] {
  if (notice.state === 'new')
    return ['No worker has sent the notice yet. "lockstep doctor" shows whether one is running.'];
  if (notice.deliveries.length === 0) return ['No channel takes the notice.'];
  return [...table(output, columns, rowsOf(notice, now)), ...causes(output, [notice])];
}

function rowsOf(notice: Notice, now: number): Cell[][] {
  const { kind, reminder, person, subject, createdAt, deliveries } = notice;
  const title = `${kind.replaceAll('_', ' ')}${reminder ? ' (reminder)' : ''}`;
  const start = [title, person ?? subject ?? '', relative(createdAt, now)];
  if (deliveries.length === 0) return [[...start, '', { text: 'held back', style: 'dim' }]];
  return deliveries.map((delivery) => [
    ...start,
    delivery.channel,
    { text: stateText(delivery, now), style: styles[delivery.state] },
  ]);
}

function stateText({ state, reason, nextTryAt }: Delivery, now: number): string {
  const why = reason === null ? '' : `: ${reason.replaceAll('_', ' ')}`;
  const next =
    state === 'waiting' && nextTryAt !== null ? `, next try ${relative(nextTryAt, now)}` : '';
  return `${state}${why}${next}`;
}

function causes(output: Output, notices: readonly Notice[]): string[] {
  const reasons = notices.flatMap(({ deliveries }) =>
    deliveries.flatMap(({ reason }) => reason ?? []),
  );
  if (reasons.length === 0) return [];
  const lines = [...new Set(reasons)].flatMap((reason) =>
    indented(`${reason.replaceAll('_', ' ')}: ${deliveryReasons[reason]}`, output.width),
  );
  return ['', 'What to do:', ...lines];
}
