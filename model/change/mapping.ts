import type { OutcomeState } from './outcome';

/**
 * What becomes of a mapping when its account is settled. A mapping tells what its system holds (I6): it advances
 * only after the system changed, never before (reference semantics §6.17).
 */
export type MappingStep = 'advance' | 'stay' | 'flag';

export type MappingState = 'empty' | 'in_sync' | 'out_of_sync';

interface SettledAccount {
  readonly state: OutcomeState;
  /** A write may have happened although nobody saw its answer. */
  readonly inDoubt: boolean;
}

/** The rows are tried from the top. */
const rows: readonly [(account: SettledAccount) => boolean, MappingStep, string][] = [
  [
    ({ state }) => state === 'applied',
    'advance',
    'The system holds the new password: so does the mapping.',
  ],
  [
    ({ inDoubt }) => inDoubt,
    'flag',
    'The system may hold either password: nobody can tell what the mapping should be.',
  ],
  [() => true, 'stay', 'The system still holds what the mapping holds.'],
];

export function mappingStep(account: SettledAccount): MappingStep {
  const row = rows.find(([applies]) => applies(account));
  return row === undefined ? 'stay' : row[1];
}
