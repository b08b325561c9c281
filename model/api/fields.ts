import { z } from 'zod';
import { type ErrorCode, errorCodes } from '../errors';

/** Fields that several response schemas share. */

/** A `Date` in the API process, ISO 8601 text in JSON. */
export const time = z.date().meta({ type: 'string', format: 'date-time' });
export const timeOrNull = z
  .date()
  .nullable()
  .meta({ type: ['string', 'null'], format: 'date-time' });

/**
 * Text of 1 to `maxLength` UTF-16 code units without NUL, which PostgreSQL cannot store. Longer text than a column holds
 * is rejected without a look-up.
 */
export const text = (maxLength: number) =>
  z
    .string()
    .min(1)
    .max(maxLength)
    .regex(/^[^\0]*$/, 'must not contain NUL');

/** Every code of the closed list in `model/errors.ts`. */
export const errorCode = z
  .enum(errorCodes as [ErrorCode, ...ErrorCode[]])
  .meta({ id: 'ErrorCode' });

/** A union, because `nullable()` of a component would make the component itself nullable. */
export const errorCodeOrNull = z.union([errorCode, z.null()]);

/** The keys of a table with their literal types, in the form that `z.enum` wants. */
export const keysOf = <Key extends string>(table: Readonly<Record<Key, unknown>>) =>
  Object.keys(table) as [Key, ...Key[]];

/** A Markdown list with one line per code and its sentence, for the OpenAPI document. */
export const describeCodes = (table: Readonly<Record<string, string | { says: string }>>): string =>
  Object.entries(table)
    .map(([code, row]) => `- \`${code}\`: ${typeof row === 'string' ? row : row.says}`)
    .join('\n');
