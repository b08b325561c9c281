import { z } from 'zod';
import { WAIT_MAX_SECONDS } from './schemas';

/** How long a client wants to wait, and for what: the `Prefer` header (RFC 7240). `until` is an extension of Lockstep. */
export interface Preference {
  readonly waitMs: number;
  readonly until: 'auth' | 'end';
}

const WAIT = /(?:^|,|;)\s*wait\s*=\s*"?(\d+)"?\s*(?=,|;|$)/i;
const UNTIL_AUTH = /(?:^|,|;)\s*until\s*=\s*"?auth"?\s*(?=,|;|$)/i;

/** Unknown preferences are ignored, as the RFC requires. */
export const preferHeader = z
  .string()
  .default('')
  .transform((header): Preference => {
    const seconds = Math.min(Number(WAIT.exec(header)?.[1] ?? 0), WAIT_MAX_SECONDS);
    return { waitMs: seconds * 1000, until: UNTIL_AUTH.test(header) ? 'auth' : 'end' };
  })
  .meta({
    description: `\`wait=N\`: answer when the outcome is known, but after N seconds at the latest (maximum ${WAIT_MAX_SECONDS}).`,
    examples: ['wait=10'],
  });

/** The response header that names the preferences that were applied; none if the client did not ask to wait. */
export function appliedPreference({ waitMs, until }: Preference): Record<string, string> {
  if (waitMs === 0) return {};
  return { 'preference-applied': `wait=${waitMs / 1000}${until === 'auth' ? ', until=auth' : ''}` };
}
