/**
 * The results with which an adapter, an external program that pulls password changes, acknowledges a message. With
 * `retry` the password was certainly not written.
 */
export const acknowledgements = ['applied', 'already_current', 'rejected', 'retry'] as const;

export type Acknowledgement = (typeof acknowledgements)[number];

/** What became of a message. It became too old before the adapter received it, or was never acknowledged after that. */
export type MessageResult = Acknowledgement | 'not_acknowledged' | 'too_old';

/**
 * An adapter that neither receives nor acknowledges for this long counts as offline. A call of receive takes 60 seconds
 * at most.
 */
export const ONLINE_SECONDS = 90;
