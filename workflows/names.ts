/**
 * The names that the worker, the workflows and the Temporal Web UI share. Recorded histories refer to them, so they
 * never change. This file imports nothing, so every folder may import it.
 */

export const CHANGE_PASSWORD = 'changePassword';
export const DELIVER_NOTICE = 'deliverNotice';

/** The task queue of workflows, and of the local activities that run inside workflow tasks. */
export const CHANGES_QUEUE = 'lockstep-changes';

/** The task queue of the activities that wait for one source, or are slow there. */
export const sourceQueue = (source: string): string => `lockstep-source-${source}`;

export const CANCEL_SIGNAL = 'cancel';
export const SUPERSEDE_SIGNAL = 'supersede';
/** Its argument is the source whose accounts are tried again now. */
export const RETRY_SIGNAL = 'retry';

/** Marks the histories of an earlier release that keep the search attribute `state` up to date while accounts wait. */
export const SHOWS_WAITING = 'shows-waiting';

/**
 * The search attributes by which an operator filters and sorts in the Web UI. None holds anything secret or personal.
 */
export const searchAttributes = {
  state: 'LockstepState',
  group: 'LockstepGroup',
  sources: 'LockstepSources',
  failed: 'LockstepFailed',
} as const;

/**
 * The activity id of one waiting account in the Web UI: the label of its outcome, such as `warehouse` or `warehouse:2`.
 */
export const accountActivityId = (label: string): string => label;

/** Sources that the name of a pass lists at most. */
const NAMED_SOURCES = 5;

/**
 * The name of the first pass over these sources. The Web UI shows a local activity by the name of its type only, so a pass
 * has a type with the names of its sources.
 */
export function passName(sources: readonly string[]): string {
  const left = sources.length - NAMED_SOURCES;
  const named = sources.slice(0, NAMED_SOURCES).join(', ');
  return `pass over ${named}${left > 0 ? ` and ${left} more` : ''}`;
}

/** The activity id when too many accounts of a source wait for one activity each. */
export const crowdActivityId = (source: string): string => `${source} (all)`;
