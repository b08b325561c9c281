import type { Relay } from '../api/relays';
import { span } from '../span';

/** What is wrong with a relay, and what to do about it. */

/** A relay reports to the API every 15 s, so after this long it is reported as silent. */
const SILENT_MS = 60_000;
/** A clock that is further off is reported: Lockstep orders captures by their time. */
const CLOCK_MS = 1_000;

/** What shows whether a relay works. */
export type RelayHealth = Pick<
  Relay,
  'silentMs' | 'lost' | 'trouble' | 'missed' | 'quarantined' | 'clockAheadMs' | 'open'
> & { readonly heardAt: unknown };

interface Problem {
  readonly applies: (relay: RelayHealth) => boolean;
  /** Continues the name of the relay. */
  readonly says: (relay: RelayHealth) => string;
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

export const relayProblemsOf = (relay: RelayHealth): string[] =>
  problems.filter(({ applies }) => applies(relay)).map(({ says }) => says(relay));
