import { z } from 'zod';
import { type HttpFailure, HttpRefused, malformedReply } from './answers';

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

/** The result of a search, as the vendor sent it. */
export interface Found {
  readonly users: readonly Raw[];
  /** Whether the vendor has found more users than these. */
  readonly isPart: boolean;
}

/**
 * Reads at most `limit` users that match. The search fails if a user that matches cannot be read, and if users that the
 * vendor has not sent may match: it could else find one account where there are two.
 * @throws HttpRefused
 */
export function readableMatches<T>(
  shape: z.ZodType<T>,
  { users, isPart }: Found,
  fits: (user: Raw) => boolean,
  limit: number,
): readonly T[] {
  const matches = users.filter(fits).map((user) => {
    const read = shape.safeParse(user);
    if (!read.success) throw new HttpRefused(malformedReply);
    return read.data;
  });
  if (isPart && matches.length < limit) throw new HttpRefused(partialReply);
  return matches.slice(0, limit);
}

/** A server that ignores the filter, or compares more loosely, sends other users, and not all that match. */
const partialReply: HttpFailure = {
  reason: 'not_supported',
  vendorCode: 'filter_ignored',
  retryAfterMs: null,
  refused: true,
};

/**
 * Returns the cursor in the link to the next page. Only that is used: a reply must not decide where requests are sent.
 * @throws HttpRefused if the link has no cursor, because the rest of the list would then be lost
 */
export function cursorIn(link: string, parameter: string): string {
  const cursor = URL.canParse(link, 'https://host')
    ? new URL(link, 'https://host').searchParams.get(parameter)
    : null;
  if (cursor === null) throw new HttpRefused(malformedReply);
  return cursor;
}

/** Returns an id of the usual shape. Any other text of the server is not passed on. */
const idOf = ({ id }: Raw): string | null => {
  const text = idShape.safeParse(id).data;
  return text !== undefined && /^[\w-]{1,64}$/.test(text) ? text : null;
};
