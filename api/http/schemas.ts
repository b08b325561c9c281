import { z } from 'zod';
import { text } from '../../model/api/fields';

/** Parts of requests that several routes share. */

export const personName = text(255).meta({ examples: ['alice'] });
export const sourceName = text(40).meta({ examples: ['corp-directory'] });
export const accountName = text(1024).meta({ examples: ['uid=alice,ou=people,dc=example,dc=com'] });

export const WAIT_MAX_SECONDS = 60;

/** Seconds in a query; more than a minute is a minute. */
export const waitSeconds = z.coerce
  .number()
  .int()
  .min(0)
  .default(0)
  .transform((seconds) => Math.min(seconds, WAIT_MAX_SECONDS))
  .meta({
    type: 'integer',
    minimum: 0,
    default: 0,
    description: `Answer only when there is something to tell, at the latest after so many seconds (${WAIT_MAX_SECONDS} at most).`,
  });

export const pageLimit = z.coerce.number().int().min(1).max(200).default(50).meta({
  type: 'integer',
  minimum: 1,
  maximum: 200,
  default: 50,
  description: 'So many at most.',
});

export const idempotencyKey = z
  .string()
  .regex(/^[!-~]{1,255}$/, 'use 1 to 255 visible ASCII characters')
  .optional()
  .describe('The same key and body give the same change again.');

export const cursor = text(255).optional().meta({ description: '`next` of the page before.' });
