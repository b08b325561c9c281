import { z } from 'zod';
import { pullSettings } from '../adapters/settings';
import { adapterSchema, switchesSchema } from '../configuration/adapter';
import { syncDirections } from '../configuration/adapter-directions';
import { time, timeOrNull } from './fields';

/** Every adapter with what it synchronizes, and the messages of one: what the console shows. */

const connectionSchema = z
  .object({
    online: z.boolean(),
    since: time.describe('Since when it is online or offline.'),
    initialisedAt: time,
    receivedAt: timeOrNull.describe('When it last asked for messages; null if it never did.'),
    ownKey: z.boolean().describe('Whether messages are sealed to a key of the adapter.'),
    pending: z.int().describe('Messages that were delivered and are not acknowledged.'),
    stored: z.int().describe('Messages that were not delivered yet.'),
  })
  .meta({ id: 'AdapterConnection' });

const directionSchema = z.object({
  direction: z.enum(syncDirections),
  obstacles: z
    .array(z.string())
    .describe('What keeps it from synchronizing anything, in sentences; empty while it works.'),
});

export const adapterStatusSchema = z
  .object({
    source: z.string(),
    kind: z.string().describe('The kind of the source; the adapter of `pull` calls the API.'),
    enabled: z
      .boolean()
      .describe('Whether the source, and its adapter block if it has one, are enabled.'),
    adapter: z
      .object(adapterSchema.shape)
      .nullable()
      .describe('The block `adapter` of the source; null for a source of the kind `pull` without.'),
    properties: z
      .object(pullSettings.shape)
      .nullable()
      .describe('The properties of a source of the kind `pull`; null for other kinds.'),
    applications: z.array(
      z.object({
        name: z.string(),
        label: z.string(),
        enabled: z.boolean(),
        mappings: z.int(),
        enabledMappings: z.int(),
      }),
    ),
    directions: z
      .array(directionSchema)
      .describe('The three directions; empty without an adapter block.'),
    warnings: z.array(z.string()).describe('What `lockstep plan` warns about.'),
    connection: connectionSchema
      .nullable()
      .describe('Null unless the source is of the kind `pull`, and its adapter has connected.'),
    waiting: z.int().describe('Accounts that wait for the source.'),
    parked: z.int().describe('Accounts that wait for an operator.'),
    discarded: z
      .int()
      .describe('Captures of the last 24 hours whose password Lockstep knew already.'),
  })
  .meta({ id: 'AdapterStatus' });

export const adaptersSchema = z
  .object({
    switches: z.object(switchesSchema.shape),
    adapters: z.array(adapterStatusSchema),
  })
  .meta({ id: 'Adapters' });

const messageResults = [
  ...(['applied', 'already_current', 'rejected', 'retry'] as const),
  ...(['not_acknowledged', 'too_old'] as const),
] as const;

export const listedMessagesSchema = z
  .object({
    results: z
      .partialRecord(z.enum(messageResults), z.int())
      .describe('How many messages of about the last day ended with each result.'),
    messages: z.array(
      z.object({
        id: z.string().describe('The tracking id.'),
        change: z.string(),
        account: z.string().describe('The label of the account in its change.'),
        createdAt: time,
        deliveries: z.int(),
        leasedUntil: timeOrNull.describe('Until then the adapter may acknowledge it.'),
        settledAt: timeOrNull,
        result: z.enum(messageResults).nullable().describe('Null while it is not settled.'),
        reason: z.string().nullable(),
        says: z.string().nullable().describe('The reason as a sentence.'),
        code: z.string().nullable().describe('The code of the system.'),
      }),
    ),
  })
  .meta({ id: 'ListedMessages' });

export type AdapterStatus = z.output<typeof adapterStatusSchema>;
export type Adapters = z.output<typeof adaptersSchema>;
export type ListedMessages = z.output<typeof listedMessagesSchema>;
