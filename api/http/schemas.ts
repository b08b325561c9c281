import { z } from 'zod';
import { type ErrorCode, errorCodes } from '../../model/errors';

/** Shapes that several routes share. */

export const time = z.date().meta({ type: 'string', format: 'date-time' });
export const timeOrNull = z
  .date()
  .nullable()
  .meta({ type: ['string', 'null'], format: 'date-time' });

/** PostgreSQL keeps no NUL, and what no table holds need not be looked for. */
export const text = (maxLength: number) =>
  z
    .string()
    .min(1)
    .max(maxLength)
    .regex(/^[^\0]*$/, 'may not hold NUL');

export const personName = text(255).meta({ examples: ['alice'] });
export const sourceName = text(40).meta({ examples: ['corp-directory'] });
export const accountName = text(1024).meta({ examples: ['uid=alice,ou=people,dc=example,dc=com'] });

export const errorCode = z
  .enum(errorCodes as [ErrorCode, ...ErrorCode[]])
  .meta({ id: 'ErrorCode' });

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
