import type { HttpReply } from './client';

/** Upper limit, in milliseconds. The date of a server may be wrong, and a change ends sooner anyway. */
const MOST_MS = 24 * 3_600_000;

/**
 * Returns how long the server asks Lockstep to wait: by Retry-After, in seconds or as a date (RFC 9110 §10.2.3), or by
 * X-Rate-Limit-Reset of Okta.
 * @param now milliseconds since 1970
 * @returns milliseconds from now; null if the server does not ask for a pause
 */
export function retryAfterMs(
  { status, header }: Pick<HttpReply, 'status' | 'header'>,
  now: number,
): number | null {
  const retryAfter = header('retry-after');
  // Okta sends this header with every reply, but it matters only once the limit is reached.
  const reset = status === 429 ? header('x-rate-limit-reset') : null;
  const wait =
    retryAfter !== null
      ? waitOf(retryAfter, now)
      : reset !== null
        ? Number(reset) * 1000 - now
        : Number.NaN;
  return Number.isNaN(wait) ? null : Math.min(Math.max(wait, 0), MOST_MS);
}

const waitOf = (retryAfter: string, now: number): number =>
  /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - now;
