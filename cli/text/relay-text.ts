import { relayProblemsOf } from '../../model/captures/relay-problems';
import { span } from '../../model/span';
import type { Relay } from '../http/answers';
import type { Output, Style } from '../output';
import { type Cell, table } from './table';
import { relative } from './times';

/** The text about relays: a row for each, and a sentence for each problem. */

const columns = [
  { title: '' },
  { title: 'SOURCE', cut: 'first' },
  { title: 'RELAY' },
  { title: 'LAST CONTACT' },
  { title: 'WAITING' },
  { title: 'OLDEST' },
  { title: 'DELIVERED' },
] as const;

/** A row for each relay. */
export const relayTable = (output: Output, relays: readonly Relay[], now: number): string[] =>
  table(
    output,
    columns,
    relays.map((relay) => row(relay, now)),
  );

/** A sentence for each problem of each relay. */
export const relayProblems = (relays: readonly Relay[]): string[] =>
  relays.flatMap((relay) =>
    relayProblemsOf(relay).map((says) => `${relay.source} (${relay.id}): ${says}`),
  );

function row(relay: Relay, now: number): Cell[] {
  const { source, id, heardAt, backlog, oldestAt, received } = relay;
  const [text, style]: [string, Style] =
    relayProblemsOf(relay).length === 0 ? ['✔', 'green'] : ['!', 'yellow'];
  const oldest = oldestAt === null ? '' : span(now - Date.parse(oldestAt));
  return [{ text, style }, source, id, relative(heardAt, now), `${backlog}`, oldest, `${received}`];
}
