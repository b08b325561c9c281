import { z } from 'zod';

export type SqlEngine = 'postgres' | 'mysql';

/** Quoted before it is used; what no quoting can save is refused here. */
export const identifier = z
  .string()
  .min(1)
  .max(64)
  .refine((name) => !name.includes('\0'), 'may not hold NUL');

export const quoted: Readonly<Record<SqlEngine, (identifier: string) => string>> = {
  postgres: (identifier) => `"${identifier.replaceAll('"', '""')}"`,
  mysql: (identifier) => `\`${identifier.replaceAll('`', '``')}\``,
};
