import type { Relay } from '../http/shapes';
import type { Output, Style } from '../output';
import { type Cell, table } from './table';
import { relative, span } from './times';

/** How relays are told to a person: a row each, and what is wrong. */

/** It says that it is there each quarter of a minute. */
const SILENT_MS = 60_000;
const CLOCK_MS = 1_000;

interface Trouble {
  readonly applies: (relay: Relay) => boolean;
  readonly says: (relay: Relay) => string;
}

const troubles: readonly Trouble[] = [
  {
    applies: ({ heardAt }) => heardAt === null,
    says: () => 'was never heard. Run it: lockstep relay run --config …/relay.json',
  },
  {
    applies: ({ silentMs }) => (silentMs ?? 0) > SILENT_MS,
    says: ({ silentMs }) =>
      `has not been heard for ${span(silentMs ?? 0)}. What is changed there meanwhile waits beside the source, if the relay runs.`,
  },
  {
    applies: ({ lost }) => lost > 0,
    says: ({ lost }) =>
      `${lost === 1 ? '1 capture is' : `${lost} captures are`} lost; the audit tells when (relay.gap, capture.capture_unreadable). These people have to change their password again.`,
  },
  {
    applies: ({ trouble }) => trouble !== null,
    says: ({ trouble }) =>
      trouble === 'startpoint_unknown'
        ? 'its source does not know the cursor that was set, or no longer: it goes on where it was. Set another: lockstep captures set-startpoint'
        : `cannot read its source now (${trouble}): its log says more. What is changed there meanwhile stays in the source.`,
  },
  {
    applies: ({ missed }) => missed > 0,
    says: () =>
      'changes were gone from its source before it read them (relay.missed in the audit). "lockstep stale" shows who is concerned.',
  },
  {
    applies: ({ quarantined }) => quarantined > 0,
    says: ({ quarantined }) =>
      `${quarantined === 1 ? '1 file is' : `${quarantined} files are`} set aside beside the source: its log tells why.`,
  },
  {
    applies: ({ clockAheadMs }) => Math.abs(clockAheadMs ?? 0) > CLOCK_MS,
    says: ({ clockAheadMs }) =>
      `its clock is ${span(Math.abs(clockAheadMs ?? 0))} ${(clockAheadMs ?? 0) > 0 ? 'ahead' : 'behind'}: what it captures may be taken for older or newer than it is.`,
  },
  {
    applies: ({ open }) => open > 0,
    says: ({ open }) => `${open} brought and not taken in yet: is a worker running?`,
  },
];

const columns = [
  { title: '' },
  { title: 'SOURCE', cut: 'first' },
  { title: 'RELAY' },
  { title: 'HEARD' },
  { title: 'WAITING' },
  { title: 'OLDEST' },
  { title: 'BROUGHT' },
] as const;

export const relayTable = (output: Output, relays: readonly Relay[], now: number): string[] =>
  table(
    output,
    columns,
    relays.map((relay) => row(relay, now)),
  );

/** What is wrong, a sentence each. */
export const relaysSay = (relays: readonly Relay[]): string[] =>
  relays.flatMap((relay) =>
    troublesOf(relay).map((says) => `${relay.source} (${relay.id}): ${says}`),
  );

const troublesOf = (relay: Relay): string[] =>
  troubles.filter(({ applies }) => applies(relay)).map(({ says }) => says(relay));

function row(relay: Relay, now: number): Cell[] {
  const { source, id, heardAt, backlog, oldestAt, received } = relay;
  const [text, style]: [string, Style] =
    troublesOf(relay).length === 0 ? ['✔', 'green'] : ['!', 'yellow'];
  const oldest = oldestAt === null ? '' : span(now - Date.parse(oldestAt));
  return [{ text, style }, source, id, relative(heardAt, now), `${backlog}`, oldest, `${received}`];
}
