import type { Reason } from '../errors';

/** What became of one account in one change. `settled` states are final for that change. */
export const outcomeStates = {
  pending: { settled: false, says: 'not begun' },
  applying: { settled: false, says: 'being written' },
  waiting: { settled: false, says: 'waiting for the next attempt' },
  parked: { settled: false, says: 'parked: not tried again until somebody retries or cancels it' },
  applied: { settled: true, says: 'holds the new password' },
  rejected: { settled: true, says: 'refused by its source' },
  expired: { settled: true, says: 'too late: the change became too old' },
  superseded: { settled: true, says: 'left to a newer change' },
  cancelled: { settled: true, says: 'cancelled before it was written' },
  not_attempted: { settled: true, says: 'not attempted' },
  not_applicable: { settled: true, says: 'left out by a rule' },
} as const;

export type OutcomeState = keyof typeof outcomeStates;

export type SettledState = {
  [State in OutcomeState]: (typeof outcomeStates)[State]['settled'] extends true ? State : never;
}[OutcomeState];

export const isSettled = (state: OutcomeState): state is SettledState =>
  outcomeStates[state].settled;

/** How a new password was proved; `none` where the source gives no harmless way, or proving is off. */
export type Proof = 'login' | 'hash' | 'timestamp' | 'none';

/** What one attempt means for the account, before it is stored. */
export interface AttemptResult {
  readonly state: 'applied' | 'waiting' | 'parked' | 'rejected' | 'not_applicable';
  readonly reason: Reason | null;
  /** The code of the vendor, such as `19` or `28P01`. Never its text, which may echo a password. */
  readonly vendorCode: string | null;
  readonly proof: Proof;
  /** It was found to hold the new password, and nothing was written. */
  readonly found?: true;
  /** The write may have happened: look before writing again. */
  readonly inDoubt: boolean;
  /** What the source asks us to wait, when it says so. */
  readonly retryAfterMs: number | null;
}
