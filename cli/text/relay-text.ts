import type { Relay, SourceCaptures } from '../http/shapes';
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

export function captureLines(
  output: Output,
  all: readonly Relay[],
  sources: readonly SourceCaptures[],
  now: number,
): string[] {
  const stopped = sources.filter(({ stoppedAt }) => stoppedAt !== null).map(({ source }) => source);
  // What a stopped source has brought waits because somebody wants it to.
  const relays = all.map((relay) =>
    stopped.includes(relay.source) ? { ...relay, open: 0 } : relay,
  );
  const why = [
    ...sources.map(withoutOldStartpoint(now)).flatMap((source) => sourceSays(source, now)),
    ...relays.flatMap((relay) =>
      troublesOf(relay).map((says) => `${relay.source} (${relay.id}): ${says}`),
    ),
  ];
  const rows = relays.map((relay) => row(relay, now));
  return [
    ...(relays.length === 0
      ? ['No relay yet. "lockstep capture setup relay" makes one.']
      : table(output, columns, rows)),
    ...(why.length === 0
      ? []
      : ['', 'Look at', ...why.flatMap((one) => indented(one, output.width))]),
  ];
}

const NEWS_MS = 24 * 3_600_000;

/** One that was gone to long ago is nothing to look at. */
const withoutOldStartpoint =
  (now: number) =>
  ({ startpoint, ...captures }: SourceCaptures): SourceCaptures => ({
    ...captures,
    startpoint:
      startpoint?.heeded === false || now - Date.parse(startpoint?.setAt ?? '') < NEWS_MS
        ? startpoint
        : null,
  });

export const sourceCaptureLines = (sources: readonly SourceCaptures[], now: number): string[] =>
  sources.flatMap((one) => lineOf(one, now));

const lineOf = (captures: SourceCaptures, now: number): string[] => {
  const says = sourceSays(captures, now);
  return says.length === 0 ? [`${captures.source}: captures are taken in.`] : says;
};

/** What an operator said of the captures of a source, and where nobody captures. */
function sourceSays(captures: SourceCaptures, now: number): string[] {
  const { source, stoppedAt, stoppedBy, startpoint, servers } = captures;
  const bare = servers.filter(({ writable, relay }) => writable && relay === null);
  const says: string[] = [];
  if (stoppedAt !== null)
    says.push(
      `stopped ${relative(stoppedAt, now)} by ${stoppedBy}. What comes meanwhile is kept. Next: lockstep captures start ${source}`,
    );
  if (startpoint !== null) says.push(startpointSays(startpoint, now));
  if (bare.length > 0)
    says.push(
      `${bare.map(({ host }) => host).join(', ')} of ${servers.length} servers ${bare.length === 1 ? 'has' : 'have'} no relay: what is changed there, nobody captures. "lockstep stale" shows who is concerned.`,
    );
  return says.map((one) => `${source}: ${one}`);
}

function startpointSays(
  { from, cursor, notBefore, setAt, heeded }: NonNullable<SourceCaptures['startpoint']>,
  now: number,
): string {
  const where = {
    begin: 'all that the source still knows counts',
    end: `what was changed before ${notBefore} does not count`,
    cursor: `what comes after ${cursor} counts`,
    time: `what was changed before ${notBefore} does not count`,
  }[from];
  const going = heeded === false ? ' Its relay has not gone there yet.' : '';
  return `${where} (startpoint set ${relative(setAt, now)}).${going}`;
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
