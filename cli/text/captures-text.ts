import type { Relay, SourceCaptures } from '../http/shapes';
import type { Output } from '../output';
import { indented } from './change-text';
import { relaysSay, relayTable } from './relay-text';
import { relative } from './times';

/** How captures are told to a person: the relays, and then what is worth a look. */

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
    ...relaysSay(relays),
  ];
  return [
    ...(relays.length === 0
      ? ['No relay yet. "lockstep relay register" makes one.']
      : relayTable(output, relays, now)),
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
      startpoint?.startpointApplied === false || now - Date.parse(startpoint?.setAt ?? '') < NEWS_MS
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
  { from, cursor, notBefore, setAt, startpointApplied }: NonNullable<SourceCaptures['startpoint']>,
  now: number,
): string {
  const where = {
    begin: 'all that the source still knows counts',
    end: `what was changed before ${notBefore} does not count`,
    cursor: `what comes after ${cursor} counts`,
    time: `what was changed before ${notBefore} does not count`,
  }[from];
  const going = startpointApplied === false ? ' Its relay has not gone there yet.' : '';
  return `${where} (startpoint set ${relative(setAt, now)}).${going}`;
}
