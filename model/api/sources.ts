import { z } from 'zod';
import { sourceStates } from '../change/source-circuit';
import { lanes, proveModes } from '../configuration/group';
import { describeCodes, errorCodeOrNull, time, timeOrNull } from './fields';
import { jobProgressSchema } from './jobs';
import { describedFields } from './titles';

/** A source as the API returns it: its settings, whether it can be used now, and how many accounts wait for it. */

export const sourceSchema = z
  .object({
    name: z.string(),
    ...describedFields,
    kind: z.string(),
    enabled: z.boolean(),
    prove: z.enum(proveModes),
    lane: z.enum(lanes),
    maxPerSecond: z.number().nullable(),
    maxAtOnce: z.int().nullable(),
    groups: z.array(z.string()),
    servers: z
      .array(z.string())
      .describe(
        'Addresses of the servers that the workers use now, one for each worker at most. Empty before the first request, and for sources with one server.',
      ),
    state: z.enum(['up', 'down', 'paused']).describe(describeCodes(sourceStates)),
    since: timeOrNull.describe('When the source went down or was paused; null while it is up.'),
    reason: errorCodeOrNull.describe('Why the source is not up.'),
    says: z.string(),
    pausedBy: z
      .string()
      .nullable()
      .describe('`worker`, `maintenance` for a maintenance window, or the API key of an operator.'),
    pausedUntil: timeOrNull.describe('When the pause ends by itself; null if an operator ends it.'),
    nextProbeAt: timeOrNull.describe('When Lockstep next tries a source that is down.'),
    accounts: z.int().describe('Accounts that are linked to a person.'),
    waiting: z.int().describe('Accounts that wait for another attempt.'),
    parked: z.int().describe('Accounts that wait for an operator.'),
    refresh: z
      .object({
        lastAt: timeOrNull.describe(
          'When the newest refresh was requested; null if there was none.',
        ),
        failed: z.boolean().describe('True if that one did not read every account.'),
        running: z.boolean().describe('True if that one is not finished.'),
        progress: jobProgressSchema
          .nullable()
          .describe('How far it is; null unless it is running.'),
        nextAt: timeOrNull.describe(
          'When the next scheduled refresh is due; null without a schedule, and during a refresh.',
        ),
      })
      .describe('The refreshes of the source, without previews.'),
  })
  .meta({ id: 'Source' });

export const sourcesSchema = z.object({ sources: z.array(sourceSchema) });

/** What waits at a source, by reason. */
export const waitingSchema = z.object({
  groups: z
    .array(
      z.object({
        state: z.enum(['waiting', 'parked']),
        reason: errorCodeOrNull.describe('Null for accounts that are about to be tried.'),
        says: z.string(),
        accounts: z.int(),
        oldestAt: time.describe('When the oldest of their changes was accepted.'),
        nextTryAt: timeOrNull.describe('When the first of them is tried next.'),
      }),
    )
    .describe('The largest group first.'),
});

/** The answer to a command for all accounts that wait for a source. */
export const sourceCommandSchema = z.object({
  accounts: z.int().describe('Number of accounts that wait or are parked.'),
});

export type Source = z.output<typeof sourceSchema>;
export type Waiting = z.output<typeof waitingSchema>;
export type Sources = z.output<typeof sourcesSchema>;
export type SourceCommandAccepted = z.output<typeof sourceCommandSchema>;
