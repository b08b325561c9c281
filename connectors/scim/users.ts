import { z } from 'zod';
import type { AccountRef } from '../contract';
import { idShape, type Raw } from '../http/lists';
import type { Written } from '../http/write';

/** Entra and servers that imitate it write a boolean as the text "True" or "False". Null means unassigned. */
const activeShape = z
  .union([z.boolean(), z.stringbool({ truthy: ['true'], falsy: ['false'] })])
  .nullish();

/** A User (RFC 7643 §4.1). `valuesAt` reads its other attributes. */
export const listedShape = z.looseObject({ id: idShape, userName: z.string() });

/** A User with the attribute that its state depends on. */
export const userShape = listedShape.extend({ active: activeShape });

export type User = z.infer<typeof userShape>;

/** The user with this id. */
export const userWith = (id: string) => userShape.refine((user) => user.id === id);

export const refOf = ({
  userName: name,
  id: nativeId,
}: z.infer<typeof listedShape>): AccountRef => ({ name, nativeId });

/**
 * The user in a reply to a write, which must be about the user with this id.
 * @param account the user before, for a reply without a name
 */
export const writtenUser = (id: string, account: AccountRef | null) =>
  z
    .looseObject({ id: idShape, userName: z.string().nullish(), active: activeShape })
    .refine((user) => user.id === id)
    .transform((user): Written<User> => {
      const { userName, active } = user;
      if (userName == null) return { account, user: null };
      const named = { ...user, userName };
      // Without the member, the reply may be only a part of the user.
      return { account: refOf(named), user: active == null ? null : named };
    });

/** Returns the texts at a path such as `emails.value` or `urn:ietf:…:User:employeeNumber`, the primary one first. */
export function valuesAt(user: Raw, path: string): string[] {
  const end = path.startsWith('urn:') ? path.lastIndexOf(':') : -1;
  const holder = end < 0 ? user : user[path.slice(0, end)];
  let values: unknown[] = [holder];
  for (const name of path.slice(end + 1).split('.'))
    values = values.flatMap((value) => {
      const member = (value as Raw | null | undefined)?.[name];
      return Array.isArray(member) ? member.toSorted(primaryFirst) : [member];
    });
  return values.filter((value) => typeof value === 'string');
}

const primaryFirst = (a: unknown, b: unknown): number =>
  Number(isPrimary(b)) - Number(isPrimary(a));

const isPrimary = (value: unknown): boolean =>
  (value as { primary?: unknown } | null)?.primary === true;
