import { z } from 'zod';
import { text } from '../../model/api/fields';

/** Parts of requests that several routes share. */

export const personName = text(255).meta({ examples: ['alice'] });
export const sourceName = text(40).meta({ examples: ['corp-directory'] });
export const groupName = text(60).meta({ examples: ['one-password'] });
export const accountName = text(1024).meta({ examples: ['uid=alice,ou=people,dc=example,dc=com'] });

export const WAIT_MAX_SECONDS = 60;

/** The `wait` of a query, in seconds. Values above the maximum are reduced to it. */
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
    description: `Answer when the outcome is known, but after this many seconds at the latest (maximum ${WAIT_MAX_SECONDS}).`,
  });

export const pageLimit = z.coerce.number().int().min(1).max(200).default(50).meta({
  type: 'integer',
  minimum: 1,
  maximum: 200,
  default: 50,
  description: 'Maximum number of entries on the page.',
});

export const idempotencyKey = z
  .string()
  .regex(/^[!-~]{1,255}$/, 'use 1 to 255 visible ASCII characters')
  .optional()
  .describe('A repeated request with the same key and body returns the same change.');

export const cursor = text(255)
  .optional()
  .meta({ description: 'The `next` value of the previous page.' });
