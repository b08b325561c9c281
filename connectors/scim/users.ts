import { z } from 'zod';
import type { Raw } from '../http/lists';

/** Some servers send ids as numbers. A number that is not exact would name another user. */
const idShape = z.union([
  z.string().min(1),
  z
    .number()
    .refine(Number.isSafeInteger)
    .transform((id) => String(id)),
]);

/** A User (RFC 7643 §4.1). `valuesAt` reads its other attributes. */
export const userShape = z.looseObject({ id: idShape, userName: z.string() });

export type User = z.infer<typeof userShape>;

/** Entra and servers that imitate it write a boolean as the text "True" or "False". Null means unassigned. */
const activeShape = z
  .union([z.boolean(), z.stringbool({ truthy: ['true'], falsy: ['false'] })])
  .nullish();

/** The user with this id, with the attribute that its state depends on. */
export const stateOfUser = (id: string) =>
  userShape.extend({ active: activeShape }).refine((user) => user.id === id);

/** The user in a reply that must be about the user with this id. Null if the reply does not contain the name. */
export const refOfUser = (id: string) =>
  z
    .looseObject({ id: idShape, userName: z.string().nullish() })
    .refine((user) => user.id === id)
    .transform(({ userName }) => (userName == null ? null : { name: userName, nativeId: id }));

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
