import { z } from 'zod';
import { text, time, timeOrNull } from './fields';

/** An API key without its secret. */

/** Groups that a key is bound to; null: every group. */
export const keyGroups = z.array(text(40)).min(1).nullable();

export const apiKeySchema = z.object({
  id: z.string(),
  name: z.string(),
  scopes: z.array(z.enum(['trigger', 'capture', 'sign-in', 'read', 'admin', 'relay'])),
  groups: keyGroups,
  createdAt: time,
  expiresAt: timeOrNull,
  revokedAt: timeOrNull,
  lastUsedAt: timeOrNull.describe('Accurate to the minute.'),
});

export const apiKeysSchema = z.object({ keys: z.array(apiKeySchema) });
export const apiKeyCreatedSchema = z.object({ id: z.string(), key: z.string() });

export type ApiKey = z.output<typeof apiKeySchema>;
export type ApiKeys = z.output<typeof apiKeysSchema>;
export type ApiKeyCreated = z.output<typeof apiKeyCreatedSchema>;
