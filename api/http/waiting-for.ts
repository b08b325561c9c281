import type { WaitingFor } from '../../model/api/presence';
import { KEY_STORE_UNAVAILABLE } from '../../model/change/mapping';
import type { Standstill } from '../../store/presence';

const byStandstill = {
  no_worker: 'worker',
  no_engine: 'engine',
} as const satisfies Record<NonNullable<Standstill>, WaitingFor>;

/** A standstill in the words of the API; null if changes proceed. */
export const waitingFor = (standstill: Standstill): WaitingFor =>
  standstill === null ? null : byStandstill[standstill];

/** The same for one change, which may also wait until its new credentials can be sealed. */
export const changeWaitsFor = (
  standstill: Standstill,
  mappings: readonly { readonly reason: string | null }[],
): WaitingFor =>
  waitingFor(standstill) ??
  (mappings.some(({ reason }) => reason === KEY_STORE_UNAVAILABLE) ? 'key_store' : null);
