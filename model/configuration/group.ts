import type { PolicyRules } from '../policy/presets';

/**
 * Where the first pass over a source runs:
 * - `inline`: inside the workflow task, within a few seconds and without a task queue;
 * - `queue`: as an activity on the task queue of the source, for sources that are slow or limit their rate.
 */
export const lanes = ['inline', 'queue'] as const;

export type Lane = (typeof lanes)[number];

/** When a new password is verified by a login after it was written. */
export const proveModes = ['always', 'in-doubt', 'never'] as const;
export type ProveMode = (typeof proveModes)[number];

/** The part of a configured source that the rules use; only the connector reads its connection settings. */
export interface Source {
  readonly name: string;
  readonly enabled: boolean;
  /**
   * True changes every account of a person in this source, false only the primary one (seed 001, Multiple Accounts).
   */
  readonly multipleAccountPasswordSync: boolean;
  /** `queue` for a source that is slow, limits its rate, or has a worker of its own. */
  readonly lane: Lane;
  readonly prove: ProveMode;
  /** True when the source has correlation rules, which find accounts that are not linked. */
  readonly correlates: boolean;
  /** Absent for a source that is no adapter of single sign-on. */
  readonly adapter?: SourceAdapter;
}

/** The part of the adapter of a source that the rules of a change use. */
export interface SourceAdapter {
  readonly enabled: boolean;
  readonly syncToAdapter: boolean;
  /** `sso.switches.windowsToAdapters`. */
  readonly switchedOn: boolean;
  readonly allowMappingConflicts: boolean;
  /** The applications that the adapter serves. */
  readonly applications: readonly { readonly name: string; readonly enabled: boolean }[];
}

/**
 * What a failure of one account means for the others (reference semantics §6.4):
 * - `continue`: the auth account goes first, and a failed account does not stop the others (SailPoint);
 * - `directory-last`: the auth account goes last, and only if every other account took the new password (Enterprise
 *   SSO, event 10681).
 */
export const failureModes = ['continue', 'directory-last'] as const;
export type FailureMode = (typeof failureModes)[number];

/** A sync group: sources that share one password, which one policy checks (seed 001). */
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

/** True for the implicit group of a source with a policy of its own, which is in no declared group (`groupsOf`). */
export const isLone = (group: Pick<Group, 'sources'>): boolean => group.sources.length === 1;

interface GroupRule {
  readonly says: string;
  readonly broken: (group: Group, all: readonly Group[]) => string | false;
}

/** The rules that every declared group must satisfy. `broken` returns false, or what is wrong and what to do. */
export const groupRules: readonly GroupRule[] = [
  {
    says: 'At least two sources',
    broken: (group) =>
      group.sources.length < 2 &&
      'has fewer than two sources; add another one, or remove the group',
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
        `contains the source "${shared}", which another group contains too; a source is in at most one group, so remove it from one`
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
        `has another failureMode than "${other.name}", but the same auth source; one change covers both groups, so set the same failureMode in both`
      );
    },
  },
  {
    says: 'A source is named once',
    broken: (group) => {
      const twice = group.sources.find((name, index) => group.sources.indexOf(name) !== index);
      return twice !== undefined && `names the source "${twice}" twice; remove one of them`;
    },
  },
];
