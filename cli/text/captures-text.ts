import type { Relay, SourceCaptures } from '../http/answers';
import type { Output } from '../output';
import { indented } from './change-text';
import { relayProblems, relayTable } from './relay-text';
import { relative } from './times';

/** The text of `lockstep captures`: a table of relays, then every problem with what to do about it. */

export function captureLines(
  output: Output,
  all: readonly Relay[],
  sources: readonly SourceCaptures[],
  now: number,
): string[] {
  const stopped = sources.filter(({ stoppedAt }) => stoppedAt !== null).map(({ source }) => source);
  // Captures of a stopped source wait on purpose: they are not a problem.
  const relays = all.map((relay) =>
    stopped.includes(relay.source) ? { ...relay, open: 0 } : relay,
  );
  const problems = [
    ...sources.map(withoutOldStartpoint(now)).flatMap((source) => sourceNotes(source, now)),
    ...relayProblems(relays),
  ];
  return [
    ...(relays.length === 0
      ? [
          'There is no relay yet. "lockstep relay register" registers one on the machine of a source.',
        ]
      : relayTable(output, relays, now)),
    ...(problems.length === 0
      ? []
      : ['', 'Check', ...problems.flatMap((text) => indented(text, output.width))]),
  ];
}

/** How long a new startpoint is shown among the problems. */
const NEW_STARTPOINT_MS = 24 * 3_600_000;

/** Removes a startpoint that was applied long ago: it needs no attention. */
const withoutOldStartpoint =
  (now: number) =>
  ({ startpoint, ...captures }: SourceCaptures): SourceCaptures => ({
    ...captures,
    startpoint:
      startpoint?.startpointApplied === false ||
      now - Date.parse(startpoint?.setAt ?? '') < NEW_STARTPOINT_MS
        ? startpoint
        : null,
  });

/** The answer of `captures stop`, `start` and `set-startpoint`: the state of each affected source. */
export const sourceCaptureLines = (sources: readonly SourceCaptures[], now: number): string[] =>
  sources.flatMap((captures) => linesOf(captures, now));

const linesOf = (captures: SourceCaptures, now: number): string[] => {
  const notes = sourceNotes(captures, now);
  return notes.length === 0 ? [`${captures.source}: captures are accepted.`] : notes;
};

/** Sentences about one source: stopped captures, its startpoint, captures without effect, and servers without a relay. */
function sourceNotes(captures: SourceCaptures, now: number): string[] {
  const { source, stoppedAt, stoppedBy, startpoint, servers, withoutEffect } = captures;
  const uncovered = servers.filter(({ writable, relay }) => writable && relay === null);
  const notes: string[] = [];
  if (stoppedAt !== null)
    notes.push(
      `captures were stopped ${relative(stoppedAt, now)} by ${stoppedBy}. New captures are kept until you run "lockstep captures start ${source}".`,
    );
  if (startpoint !== null) notes.push(startpointText(startpoint, now));
  const differing = withoutEffect.reduce((sum, { accounts }) => sum + accounts, 0);
  if (differing > 0)
    notes.push(
      `${differing} ${differing === 1 ? 'account holds a password that was' : 'accounts hold passwords that were'} changed there and captured without effect (${withoutEffect.map(({ reason, accounts }) => `${reason.replaceAll('_', ' ')}: ${accounts}`).join(', ')}). "lockstep stale --source ${source}" lists them, with what to do.`,
    );
  if (uncovered.length > 0)
    notes.push(
      `${uncovered.length} of ${servers.length} servers ${uncovered.length === 1 ? 'has' : 'have'} no relay (${uncovered.map(({ host }) => host).join(', ')}): password changes there are not captured. Install a relay there with "lockstep relay register"; "lockstep stale --look --source ${source}" lists affected accounts.`,
    );
  return notes.map((note) => `${source}: ${note}`);
}

function startpointText(
  { from, cursor, notBefore, setAt, startpointApplied }: NonNullable<SourceCaptures['startpoint']>,
  now: number,
): string {
  const where = {
    begin: 'everything that the source still has counts',
    end: `passwords changed before ${notBefore} do not count`,
    cursor: `entries after ${cursor} count`,
    time: `passwords changed before ${notBefore} do not count`,
  }[from];
  const pending = startpointApplied === false ? ' Its relay has not moved there yet.' : '';
  return `${where} (startpoint set ${relative(setAt, now)}).${pending}`;
}
