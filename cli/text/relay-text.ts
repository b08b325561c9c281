import type { Relay } from '../http/answers';
import type { Output, Style } from '../output';
import { type Cell, table } from './table';
import { relative, span } from './times';

/** The text about relays: a row for each, and a sentence for each problem. */

/** A relay reports to the API every 15 s, so after this long it is reported as silent. */
const SILENT_MS = 60_000;
/** A clock that is further off is reported: Lockstep orders captures by their time. */
const CLOCK_MS = 1_000;

interface Problem {
  readonly applies: (relay: Relay) => boolean;
  readonly says: (relay: Relay) => string;
}

const problems: readonly Problem[] = [
  {
    applies: ({ heardAt }) => heardAt === null,
    says: () => 'has never contacted the API. Start it: lockstep relay run --config …/relay.json',
  },
  {
    applies: ({ silentMs }) => (silentMs ?? 0) > SILENT_MS,
    says: ({ silentMs }) =>
      `has not contacted the API for ${span(silentMs ?? 0)}. Check that it is running and reaches the API. A running relay keeps its captures until it has delivered them.`,
  },
  {
    applies: ({ lost }) => lost > 0,
    says: ({ lost }) =>
      `${lost === 1 ? '1 capture is' : `${lost} captures are`} lost. The audit records when (relay.gap, capture.capture_unreadable). The affected people must change their password again.`,
  },
  {
    applies: ({ trouble }) => trouble !== null,
    says: ({ trouble }) =>
      trouble === 'startpoint_unknown'
        ? 'its source does not have the cursor that was set, so the relay continues at its previous position. Set another startpoint with "lockstep captures set-startpoint".'
        : `cannot read its source (${trouble}). The log of the relay contains the details. Password changes stay in the source until the relay can read them.`,
  },
  {
    applies: ({ missed }) => missed > 0,
    says: () =>
      'some changes were trimmed from its source before the relay read them (relay.missed in the audit). Run "lockstep stale --look" to list affected accounts.',
  },
  {
    applies: ({ quarantined }) => quarantined > 0,
    says: ({ quarantined }) =>
      `${quarantined === 1 ? '1 damaged spool file is' : `${quarantined} damaged spool files are`} in its quarantine. The log of the relay contains the reason.`,
  },
  {
    applies: ({ clockAheadMs }) => Math.abs(clockAheadMs ?? 0) > CLOCK_MS,
    says: ({ clockAheadMs }) =>
      `its clock is ${span(Math.abs(clockAheadMs ?? 0))} ${(clockAheadMs ?? 0) > 0 ? 'ahead' : 'behind'}, so its captures may appear newer or older than they are. Synchronize the clock.`,
  },
  {
    applies: ({ open }) => open > 0,
    says: ({ open }) =>
      `${open === 1 ? '1 delivered capture is' : `${open} delivered captures are`} not processed yet. Check with "lockstep doctor" that a worker is running.`,
  },
];

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
    problemsOf(relay).map((says) => `${relay.source} (${relay.id}): ${says}`),
  );

const problemsOf = (relay: Relay): string[] =>
  problems.filter(({ applies }) => applies(relay)).map(({ says }) => says(relay));

function row(relay: Relay, now: number): Cell[] {
  const { source, id, heardAt, backlog, oldestAt, received } = relay;
  const [text, style]: [string, Style] =
    problemsOf(relay).length === 0 ? ['✔', 'green'] : ['!', 'yellow'];
  const oldest = oldestAt === null ? '' : span(now - Date.parse(oldestAt));
  return [{ text, style }, source, id, relative(heardAt, now), `${backlog}`, oldest, `${received}`];
}
