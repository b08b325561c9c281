import type { OutcomeState } from './outcome';

/**
 * What to do with a mapping once its account is settled. A mapping holds what its system holds (I6): it advances after
 * the system has changed, never before (reference semantics §6.17).
 */
export type MappingStep = 'advance' | 'stay' | 'flag';

export type MappingState = 'empty' | 'in_sync' | 'out_of_sync';

/** The reason of a mapping whose new credential cannot be sealed yet. Its change has not ended and waits for the store. */
export const KEY_STORE_UNAVAILABLE = 'key_store_unavailable';

/** How a list shows a mapping: `disabled`, or else the state of its credential. */
export const mappingListStates = ['disabled', 'empty', 'in_sync', 'out_of_sync'] as const;

export type MappingListState = (typeof mappingListStates)[number];

interface SettledAccount {
  readonly state: OutcomeState;
  /** A write may have happened, but its answer was lost. */
  readonly inDoubt: boolean;
}

/** The first row that applies decides. The sentence gives the reason. */
const rows: readonly [(account: SettledAccount) => boolean, MappingStep, string][] = [
  [
    ({ state }) => state === 'applied',
    'advance',
    'The system holds the new password, so the mapping takes it too.',
  ],
  [
    ({ inDoubt }) => inDoubt,
    'flag',
    'The system may hold either password, so the right value of the mapping is not known.',
  ],
  [() => true, 'stay', 'The system still holds the password that the mapping holds.'],
];

export function mappingStep(account: SettledAccount): MappingStep {
  const row = rows.find(([applies]) => applies(account));
  return row === undefined ? 'stay' : row[1];
}
