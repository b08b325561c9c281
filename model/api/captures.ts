import { z } from 'zod';
import { time, timeOrNull } from './fields';

/** The captures of a source: whether they are ingested, from where on, and which servers have a relay. */

export const startpointSchema = z
  .object({
    from: z.enum(['begin', 'end', 'cursor', 'time']),
    cursor: z.string().nullable(),
    notBefore: timeOrNull.describe('Captures from before this time are ignored.'),
    setAt: time,
    setBy: z.string(),
    startpointApplied: z
      .boolean()
      .nullable()
      .describe(
        'Whether the relay that polls the source has moved to this startpoint; null if no relay polls it.',
      ),
  })
  .meta({ id: 'Startpoint' });

export const coveredServerSchema = z.object({
  host: z.string(),
  writable: z.boolean(),
  relay: z
    .string()
    .nullable()
    .describe('Null if no relay covers this server: password changes there are not captured.'),
});

export const withoutEffectSchema = z
  .object({
    reason: z
      .string()
      .describe(
        'Why the capture was declined, or why its change ended; else the state of that change.',
      ),
    says: z.string(),
    accounts: z.int(),
    latestAt: time.describe('When the last of these passwords was changed in the source.'),
  })
  .meta({ id: 'CapturesWithoutEffect' });

export const sourceCapturesSchema = z
  .object({
    source: z.string(),
    stoppedAt: timeOrNull.describe(
      'When an operator stopped captures. Relays keep new captures until they are started again.',
    ),
    stoppedBy: z.string().nullable(),
    startpoint: startpointSchema.nullable(),
    withoutEffect: z
      .array(withoutEffectSchema)
      .describe(
        'Accounts that hold a password which was changed in the source and reached no other account, by the reason for which its capture had no effect. `GET /v1/stale` lists them.',
      ),
    servers: z
      .array(coveredServerSchema)
      .describe('The servers that the source reports; empty if it reports none.'),
  })
  .meta({ id: 'SourceCaptures' });

export const capturesSchema = z.object({ sources: z.array(sourceCapturesSchema) });

export type CoveredServer = z.output<typeof coveredServerSchema>;
export type SourceCaptures = z.output<typeof sourceCapturesSchema>;
export type Captures = z.output<typeof capturesSchema>;
