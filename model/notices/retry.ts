/** Why a notice was not delivered, or not yet: a code of `model/errors.ts`, or one of these. */
export const deliveryReasons = {
  no_address: 'The person has no valid mail address in the attribute that the channel names.',
  address_refused: 'The mail server refuses the address of the recipient. Correct the address.',
  content_refused:
    'The receiver refuses this notice. Look up the notice in the log of the receiver.',
  link_ended: 'The one-time link has ended before its mail was sent. Make another one.',
  redirected:
    'The receiver answers with a redirect, which is not followed. Configure its final address.',
  endpoint_gone:
    'The receiver answered that it no longer exists (410), so Lockstep sends nothing more to it. Correct or remove the channel, or run "lockstep notices test" once the receiver is back.',
  channel_removed: 'The channel is no longer in the configuration.',
  no_issuer:
    'The worker has no public URL to name as the issuer. Set LOCKSTEP_API_PUBLIC_URL for api and worker.',
  receiver_unreachable:
    'The receiver cannot be reached. Check host, port and, for a private address, allowPrivateAddresses.',
  receiver_busy: 'The receiver asks Lockstep to try again later.',
  receiver_failed: 'The receiver reports an error of its own. Look for the cause in its log.',
  certificate_refused:
    'The certificate of the receiver is not trusted, or it offers no TLS. Check the channel settings host, tls, ca and serverName.',
  credential_refused:
    'The receiver refuses the credential of Lockstep, or the worker cannot read it. Check the references of the channel.',
  internal: 'Lockstep failed to send the notice. Search the log of the worker for its id.',
} as const satisfies Record<string, string>;

export type DeliveryReason = keyof typeof deliveryReasons;

export const isDeliveryReason = (code: string): code is DeliveryReason =>
  Object.hasOwn(deliveryReasons, code);

/** How sending a notice ended. */
export type Sent =
  | { readonly result: 'delivered' }
  | { readonly result: 'failed'; readonly reason: DeliveryReason }
  /** The endpoint itself has ended, so that nothing more may be sent to it. */
  | { readonly result: 'gone'; readonly reason: 'endpoint_gone' }
  | {
      readonly result: 'retry';
      readonly reason: DeliveryReason;
      /** How long the receiver asks to wait, in milliseconds; null when it does not. */
      readonly afterMs: number | null;
    };

const MINUTE_MS = 60_000;
const WAITS_MS = [5_000, 30_000, ...[1, 5, 15, 30, 60].map((minutes) => minutes * MINUTE_MS)];

/** A notice that was not delivered after this time is given up, in milliseconds. */
export const NOTICE_AGE_LIMIT_MS = 3 * 24 * 60 * MINUTE_MS;

/**
 * How long to wait before the next attempt, in milliseconds.
 * @param attempts attempts so far, from 1
 * @param afterMs how long the receiver asked to wait
 * @param ageMs time since the notice was due
 * @returns null when the notice would be too old then
 */
export function nextTryInMs(
  attempts: number,
  afterMs: number | null,
  ageMs: number,
): number | null {
  const usual = WAITS_MS[Math.min(attempts, WAITS_MS.length) - 1] ?? MINUTE_MS;
  const wait = Math.max(usual, afterMs ?? 0);
  return ageMs + wait > NOTICE_AGE_LIMIT_MS ? null : wait;
}
