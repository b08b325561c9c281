import { z } from 'zod';

export type SqlEngine = 'postgres' | 'mysql';

/** Name of a table or column. It is quoted before use; NUL, which cannot be quoted, is rejected here. */
export const identifier = z
  .string()
  .min(1)
  .max(64)
  .refine((name) => !name.includes('\0'), 'must not contain NUL');

export const quoted: Readonly<Record<SqlEngine, (identifier: string) => string>> = {
  postgres: (identifier) => `"${identifier.replaceAll('"', '""')}"`,
  mysql: (identifier) => `\`${identifier.replaceAll('`', '``')}\``,
};
