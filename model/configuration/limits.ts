import { z } from 'zod';
import type { Lane } from './group';

/** How fast Lockstep may write the accounts of a source, over all workers. */
export interface Limits {
  /** Accounts that may be begun within `windowMs`; null for any number. */
  readonly perWindow: number | null;
  readonly windowMs: number;
  /** Accounts that may be written at the same time; null for any number. */
  readonly atOnce: number | null;
}

export const limitFields = {
  maxPerSecond: z
    .number()
    .positive()
    .max(1000)
    .optional()
    .describe(
      'Maximum number of accounts that Lockstep begins to write in a second, over all workers. 0.1 is one account in ten seconds. The other accounts wait for their turn, the oldest changes first.',
    ),
  maxAtOnce: z
    .int()
    .min(1)
    .max(1000)
    .optional()
    .describe(
      'Maximum number of accounts that Lockstep writes at the same time, over all workers. The other accounts wait for their turn.',
    ),
};

interface LimitSettings {
  readonly maxPerSecond?: number | undefined;
  readonly maxAtOnce?: number | undefined;
}

/** The limits of a source; null when it has none. A window lasts a second, or as long as the limit lets one account take. */
export function limitsOf({ maxPerSecond, maxAtOnce }: LimitSettings): Limits | null {
  if (maxPerSecond === undefined && maxAtOnce === undefined) return null;
  const atOnce = maxAtOnce ?? null;
  if (maxPerSecond === undefined) return { perWindow: null, windowMs: 0, atOnce };
  const perWindow = Math.max(1, Math.floor(maxPerSecond));
  return { perWindow, windowMs: Math.ceil((perWindow * 1000) / maxPerSecond), atOnce };
}

/**
 * The lane of a source. A source with limits never takes the inline lane, because its accounts may wait for long; an
 * isolated one does not, because the workers of that lane do not ask it.
 */
export const laneOf = (
  source: LimitSettings & { readonly lane: Lane; readonly isolated: boolean },
): Lane => (limitsOf(source) === null && !source.isolated ? source.lane : 'queue');
