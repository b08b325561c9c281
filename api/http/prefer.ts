import { z } from 'zod';
import { WAIT_MAX_SECONDS } from './schemas';

/** How long a client wants to wait, and for what (RFC 7240; `until` is ours). */
export interface Preference {
  readonly waitMs: number;
  readonly until: 'auth' | 'end';
}

const WAIT = /(?:^|,|;)\s*wait\s*=\s*"?(\d{1,9})"?\s*(?=,|;|$)/i;
const UNTIL_AUTH = /(?:^|,|;)\s*until\s*=\s*"?auth"?\s*(?=,|;|$)/i;

/** Preferences that we do not know are none of our business, as the RFC asks. */
export const preferHeader = z
  .string()
  .default('')
  .transform((header): Preference => {
    const seconds = Math.min(Number(WAIT.exec(header)?.[1] ?? 0), WAIT_MAX_SECONDS);
    return { waitMs: seconds * 1000, until: UNTIL_AUTH.test(header) ? 'auth' : 'end' };
  })
  .meta({
    description: `\`wait=N\`: answer when the outcome is known, at the latest after N seconds (${WAIT_MAX_SECONDS} at most).`,
    examples: ['wait=10'],
  });

export function appliedPreference({ waitMs, until }: Preference): Record<string, string> {
  if (waitMs === 0) return {};
  return { 'preference-applied': `wait=${waitMs / 1000}${until === 'auth' ? ', until=auth' : ''}` };
}
