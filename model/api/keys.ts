import { z } from 'zod';
import { text, time, timeOrNull } from './fields';
import { scopeNames } from './scopes';

/** An API key without its secret. */

/** Groups that a key is bound to; null: every group. */
export const keyGroups = z.array(text(40)).min(1).nullable();

export const apiKeySchema = z.object({
  id: z.string(),
  name: z.string(),
  scopes: z.array(z.enum(scopeNames)),
  groups: keyGroups,
  agent: z.string().nullable().describe('Who uses the key; null if it names no agent.'),
  source: z
    .string()
    .nullable()
    .describe(
      'The only source for which the key may register a relay, or be its adapter; null for other keys.',
    ),
  identity: z
    .string()
    .nullable()
    .describe('The only person whom the key may act for; null if it is not bound to a person.'),
  createdAt: time,
  expiresAt: timeOrNull,
  revokedAt: timeOrNull,
  lastUsedAt: timeOrNull.describe('Accurate to the minute.'),
});

export const apiKeysSchema = z.object({ keys: z.array(apiKeySchema) });
export const apiKeyCreatedSchema = z.object({ id: z.string(), key: z.string() });

export const apiKeyRotatedSchema = z.object({
  id: z.string(),
  key: z.string(),
  previousUntil: time.describe('Until then the previous key is accepted, too.'),
});

export type ApiKeyRotated = z.output<typeof apiKeyRotatedSchema>;
export type ApiKey = z.output<typeof apiKeySchema>;
export type ApiKeys = z.output<typeof apiKeysSchema>;
export type ApiKeyCreated = z.output<typeof apiKeyCreatedSchema>;
