import type { WaitingFor } from '../../model/api/presence';
import type { Standstill } from '../../store/presence';

const byStandstill = {
  no_worker: 'worker',
  no_engine: 'engine',
} as const satisfies Record<NonNullable<Standstill>, WaitingFor>;

/** A standstill in the words of the API; null if changes proceed. */
export const waitingFor = (standstill: Standstill): WaitingFor =>
  standstill === null ? null : byStandstill[standstill];
