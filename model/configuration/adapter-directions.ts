import { type Adapter, inboundSync, type Switches } from './adapter';
import { adapterNamed } from './adapter-edits';
import { type Configuration, groupsFrom, type SourceConfiguration } from './document';

/** The three directions in which an adapter synchronizes, each with the name of its switch. */
export const syncDirections = [
  'windowsToAdapters',
  'adaptersToStore',
  'adaptersToWindows',
] as const satisfies readonly (keyof Switches)[];

export type SyncDirection = (typeof syncDirections)[number];

export interface DirectionStatus {
  readonly direction: SyncDirection;
  /** What keeps it from synchronizing anything, in sentences; empty while it works. */
  readonly obstacles: readonly string[];
}

interface Facts {
  readonly adapter: Adapter;
  readonly configured: SourceConfiguration;
  readonly switches: Switches;
  readonly isInGroup: boolean;
  /** How many applications of the adapter are enabled. */
  readonly enabledApplications: number;
  /** How many enabled mappings the applications of the adapter have. */
  readonly enabledMappings: number;
}

interface Obstacle {
  readonly directions: readonly SyncDirection[];
  readonly is: (facts: Facts) => boolean;
  readonly says: string;
}

const inbound: readonly SyncDirection[] = ['adaptersToStore', 'adaptersToWindows'];

const obstacles: readonly Obstacle[] = [
  {
    directions: syncDirections,
    is: ({ configured }) => !configured.enabled,
    says: 'The source is switched off.',
  },
  {
    directions: syncDirections,
    is: ({ isInGroup }) => !isInGroup,
    says: 'The source is in no group.',
  },
  {
    directions: syncDirections,
    is: ({ adapter }) => !adapter.enabled,
    says: 'The adapter is disabled.',
  },
  {
    directions: syncDirections,
    is: ({ adapter }) => adapter.applications.length === 0,
    says: 'The adapter serves no application.',
  },
  {
    directions: syncDirections,
    is: ({ adapter, enabledApplications }) =>
      adapter.applications.length > 0 && enabledApplications === 0,
    says: 'Every application of the adapter is disabled.',
  },
  {
    directions: syncDirections,
    is: ({ adapter, enabledMappings }) => adapter.applications.length > 0 && enabledMappings === 0,
    says: 'The applications of the adapter have no enabled mapping.',
  },
  {
    directions: ['windowsToAdapters'],
    is: ({ adapter }) => !adapter.syncToAdapter,
    says: 'The flag syncToAdapter of the adapter is off.',
  },
  {
    directions: inbound,
    is: ({ adapter }) => !adapter.syncFromAdapter,
    says: 'The flag syncFromAdapter of the adapter is off.',
  },
  {
    directions: ['adaptersToWindows'],
    is: ({ adapter }) => !adapter.changeWindowsPassword,
    says: 'The flag changeWindowsPassword of the adapter is off.',
  },
  {
    directions: inbound,
    is: ({ adapter, configured }) =>
      adapter.syncFromAdapter && configured.capture?.enabled !== true,
    says: 'The captures of the source are switched off (capture.enabled).',
  },
  ...syncDirections.map(
    (direction): Obstacle => ({
      directions: [direction],
      // A full synchronization updates the store, too, and needs no switch of its own for that.
      is: ({ adapter, switches }) =>
        !switches[direction] &&
        !(
          direction === 'adaptersToStore' &&
          inboundSync({ ...adapter, enabled: true, syncFromAdapter: true }, switches) === 'full'
        ),
      says: `The switch ${direction} is off for every adapter.`,
    }),
  ),
];

/** What keeps each direction of an adapter from synchronizing. @returns none for a source that is no adapter */
export function adapterDirections(
  configuration: Pick<Configuration, 'sources' | 'groups' | 'applications' | 'sso'>,
  name: string,
  enabledMappings: number,
): DirectionStatus[] {
  const found = adapterNamed(configuration, name);
  if (found === undefined) return [];
  const { adapter, source: configured } = found;
  const facts: Facts = {
    ...{ adapter, configured, enabledMappings, switches: configuration.sso.switches },
    isInGroup: groupsFrom(configuration, name).length > 0,
    enabledApplications: adapter.applications.filter(
      (application) => configuration.applications[application]?.enabled === true,
    ).length,
  };
  return syncDirections.map((direction) => ({
    direction,
    obstacles: obstacles.flatMap(({ directions, is, says }) =>
      directions.includes(direction) && is(facts) ? [says] : [],
    ),
  }));
}
