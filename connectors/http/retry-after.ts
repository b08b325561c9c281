import type { HttpReply } from './client';

/** A source that asks for more is asked again after a day: a date may be nonsense, and a change ends sooner. */
const MOST_MS = 24 * 3_600_000;

/**
 * What the server asks us to wait: seconds or a date (RFC 9110 §10.2.3), or when its limit is reset, as Okta says it.
 * @param now milliseconds since 1970
 * @returns milliseconds from now on; null when it asks for nothing
 */
export function retryAfterMs(
  { status, header }: Pick<HttpReply, 'status' | 'header'>,
  now: number,
): number | null {
  const asked = header('retry-after');
  // Okta says this with every answer; it means something only once the limit is reached.
  const reset = status === 429 ? header('x-rate-limit-reset') : null;
  const wait =
    asked !== null ? waitOf(asked, now) : reset !== null ? Number(reset) * 1000 - now : Number.NaN;
  return Number.isNaN(wait) ? null : Math.min(Math.max(wait, 0), MOST_MS);
}

const waitOf = (asked: string, now: number): number =>
  /^\d+$/.test(asked) ? Number(asked) * 1000 : Date.parse(asked) - now;
