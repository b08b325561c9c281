import { z } from 'zod';
import { HttpRefused, malformedReply } from './answers';

/** A list of users as the vendor sent it. It holds objects only. */
export const rawUsers = z.array(z.record(z.string(), z.unknown()));

/** An id, which some servers send as a number. A number that is not exact would name another user. */
export const idShape = z.union([
  z.string().min(1),
  z
    .number()
    .refine(Number.isSafeInteger)
    .transform((id) => String(id)),
]);

/** A user as the vendor sent it. */
export type Raw = Readonly<Record<string, unknown>>;

export interface Readable<T> {
  readonly users: readonly T[];
  /** The id, or else the position in the page, of each user that cannot be read. */
  readonly malformed: readonly string[];
}

/** Reads the users of one page. A user without the documented shape is left out, so that the others are still read. */
export function readable<T>(shape: z.ZodType<T>, page: readonly Raw[]): Readable<T> {
  const users: T[] = [];
  const malformed: string[] = [];
  for (const [index, user] of page.entries()) {
    const read = shape.safeParse(user);
    if (read.success) users.push(read.data);
    else malformed.push(idOf(user) ?? `#${index + 1}`);
  }
  return { users, malformed };
}

/**
 * Reads the users that match. A user that matches and cannot be read fails the search: without it, the search could find
 * one account where there are two.
 * @throws HttpRefused
 */
export function readableMatches<T>(
  shape: z.ZodType<T>,
  page: readonly Raw[],
  fits: (user: Raw) => boolean,
): readonly T[] {
  return page.filter(fits).map((user) => {
    const read = shape.safeParse(user);
    if (!read.success) throw new HttpRefused(malformedReply);
    return read.data;
  });
}

/** Returns all values of each attribute that has one. @param valuesAt returns the values of one attribute */
export const attributesAt = (
  names: readonly string[],
  valuesAt: (name: string) => readonly string[],
): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(
    names.map((name) => [name, valuesAt(name)] as const).filter(([, values]) => values.length > 0),
  );

/** Returns an id of the usual shape. Any other text of the server is not passed on. */
const idOf = ({ id }: Raw): string | null => {
  const text = idShape.safeParse(id).data;
  return text !== undefined && /^[\w-]{1,64}$/.test(text) ? text : null;
};
