import type { PolicyRules } from '../policy/presets';

/**
 * - `inline`: the first pass over a source runs inside the workflow task; a few seconds, no task queue.
 * - `queue`: an activity on the source's own task queue, for whatever is slow or waits.
 */
export const lanes = ['inline', 'queue'] as const;

export type Lane = (typeof lanes)[number];

/** When a new password is proved after it was written. */
export const proveModes = ['always', 'in-doubt', 'never'] as const;
export type ProveMode = (typeof proveModes)[number];

/** What the rules need to know of a source; its connection settings are the connector's business. */
export interface Source {
  readonly name: string;
  readonly enabled: boolean;
  /** Every account of a person in this source, or only the primary one (seed 001, Multiple Accounts). */
  readonly multipleAccountPasswordSync: boolean;
  /** `queue` for sources that are slow, rate-limited or served by a worker of their own. */
  readonly lane: Lane;
  readonly prove: ProveMode;
  /** Accounts of people without a link can be looked up by rules. */
  readonly correlates: boolean;
}

/**
 * - `continue`: the auth account goes first; whatever becomes of the others stops nobody (SailPoint).
 * - `directory-last`: the auth account goes last, and only if every other took the new password (Enterprise SSO, event
 *   10681). Source: reference semantics §6.4.
 */
export const failureModes = ['continue', 'directory-last'] as const;
export type FailureMode = (typeof failureModes)[number];

/** A sync group: the sources that share one password, judged by one policy (seed 001). */
export interface Group {
  readonly name: string;
  readonly policy: string;
  readonly authSource: string;
  readonly sources: readonly string[];
  readonly failureMode: FailureMode;
}

export interface Policy {
  readonly name: string;
  readonly rules: PolicyRules;
}

/** A source with a policy of its own, in no group (`groupsOf`). */
export const isLone = (group: Pick<Group, 'sources'>): boolean => group.sources.length === 1;

interface GroupRule {
  readonly says: string;
  readonly broken: (group: Group, all: readonly Group[]) => string | false;
}

/** What must be true of every group before it is accepted; each row names what to do. */
export const groupRules: readonly GroupRule[] = [
  {
    says: 'At least two sources',
    broken: (group) =>
      group.sources.length < 2 &&
      'has fewer than two sources; a group of one has nothing to keep in step',
  },
  {
    says: 'The auth source is one of the sources that Lockstep knows, and goes first',
    broken: (group, all) =>
      !group.sources.includes(group.authSource) &&
      !all.some((other) => other !== group && other.sources.includes(group.authSource)) &&
      `names the auth source "${group.authSource}", which is in no group; add it to sources`,
  },
  {
    says: 'A source is in at most one group',
    broken: (group, all) => {
      const shared = group.sources.find((source) =>
        all.some((other) => other.name < group.name && other.sources.includes(source)),
      );
      return (
        shared !== undefined &&
        `holds the source "${shared}", which another group already holds; a source is in at most one group`
      );
    },
  },
  {
    says: 'Groups with the same auth source agree on when it goes',
    broken: (group, all) => {
      const other = all.find(
        ({ authSource, failureMode }) =>
          authSource === group.authSource && failureMode !== group.failureMode,
      );
      return (
        other !== undefined &&
        `has another failureMode than "${other.name}", but the same auth source; one change covers both, so give them the same`
      );
    },
  },
  {
    says: 'A source is named once',
    broken: (group) => {
      const twice = group.sources.find((name, index) => group.sources.indexOf(name) !== index);
      return twice !== undefined && `names the source "${twice}" twice`;
    },
  },
];
