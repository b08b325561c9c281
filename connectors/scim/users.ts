import { z } from 'zod';

/** A User (RFC 7643 §4.1). `valuesAt` reads its other attributes. */
export const userShape = z.looseObject({
  id: z.string().min(1),
  userName: z.string(),
  active: z.boolean().optional(),
});

export type User = z.infer<typeof userShape>;

export const idOf = ({ id }: User): string => id;

/** Returns the texts at a path such as `emails.value` or `urn:ietf:…:User:employeeNumber`, the primary one first. */
export function valuesAt(user: User, path: string): string[] {
  const end = path.startsWith('urn:') ? path.lastIndexOf(':') : -1;
  const holder = end < 0 ? user : user[path.slice(0, end)];
  let values: unknown[] = [holder];
  for (const name of path.slice(end + 1).split('.'))
    values = values.flatMap((value) => {
      const member = (value as Readonly<Record<string, unknown>> | null | undefined)?.[name];
      return Array.isArray(member) ? member.toSorted(primaryFirst) : [member];
    });
  return values.filter((value) => typeof value === 'string');
}

const primaryFirst = (a: unknown, b: unknown): number =>
  Number(isPrimary(b)) - Number(isPrimary(a));

const isPrimary = (value: unknown): boolean =>
  (value as { primary?: unknown } | null)?.primary === true;
