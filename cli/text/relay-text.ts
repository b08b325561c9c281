import type { Relay } from '../http/shapes';
import type { Output, Style } from '../output';
import { indented } from './change-text';
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
    says: () => 'was never heard. Run it: lockstep capture run --config …/relay.json',
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
    applies: ({ setAside }) => setAside > 0,
    says: ({ setAside }) =>
      `${setAside === 1 ? '1 file is' : `${setAside} files are`} set aside beside the source: its log tells why.`,
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

export function relayLines(output: Output, relays: readonly Relay[], now: number): string[] {
  if (relays.length === 0) return ['No relay yet. "lockstep capture setup relay" makes one.'];
  const why = relays.flatMap((relay) =>
    troublesOf(relay).map((says) => `${relay.source} (${relay.id}): ${says}`),
  );
  return [
    ...table(
      output,
      columns,
      relays.map((relay) => row(relay, now)),
    ),
    ...(why.length === 0
      ? []
      : ['', 'Look at', ...why.flatMap((one) => indented(one, output.width))]),
  ];
}

const troublesOf = (relay: Relay): string[] =>
  troubles.filter(({ applies }) => applies(relay)).map(({ says }) => says(relay));

function row(relay: Relay, now: number): Cell[] {
  const { source, id, heardAt, backlog, oldestAt, received } = relay;
  const [text, style]: [string, Style] =
    troublesOf(relay).length === 0 ? ['✔', 'green'] : ['!', 'yellow'];
  const oldest = oldestAt === null ? '' : span(now - Date.parse(oldestAt));
  return [{ text, style }, source, id, relative(heardAt, now), `${backlog}`, oldest, `${received}`];
}
