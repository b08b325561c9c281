/** What became of a message to an adapter, an external program that pulls password changes and acknowledges them. */
export const messageResults = {
  applied: 'The account holds the new password.',
  already_current: 'The account held the new password already.',
  rejected: 'The system refuses this password for this account.',
  retry: 'The password was certainly not written; the same message may succeed later.',
  not_acknowledged: 'The adapter never acknowledged the message.',
  too_old: 'The message became too old before the adapter received it.',
} as const;

export type MessageResult = keyof typeof messageResults;

/** The results with which an adapter acknowledges a message. */
export const acknowledgements = [
  'applied',
  'already_current',
  'rejected',
  'retry',
] as const satisfies readonly MessageResult[];

export type Acknowledgement = (typeof acknowledgements)[number];

/** An adapter that makes no call for this long counts as offline. A call of receive takes 60 seconds at most. */
export const ONLINE_SECONDS = 90;
