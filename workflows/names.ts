/** Names that both sides of Temporal use. Plain text, so that anyone may import them. */

export const CHANGE_PASSWORD = 'changePassword';

/** Workflows and whatever runs inside their tasks. */
export const CHANGES_QUEUE = 'lockstep-changes';

/** What waits for one source, or is slow there. */
export const sourceQueue = (source: string): string => `lockstep-source-${source}`;

export const CANCEL_SIGNAL = 'cancel';
export const SUPERSEDE_SIGNAL = 'supersede';

/** An operator filters and sorts by these in the Web UI; none holds anything secret or personal. */
export const searchAttributes = {
  state: 'LockstepState',
  group: 'LockstepGroup',
  sources: 'LockstepSources',
  failed: 'LockstepFailed',
} as const;

/** The Web UI shows a waiting account under this id: the label of its outcome, such as `warehouse` or `warehouse:2`. */
export const accountActivityId = (label: string): string => label;

/** Where too many accounts of a source wait for one activity each. */
export const crowdActivityId = (source: string): string => `${source} (all)`;
