import { z } from 'zod';
import { time, timeOrNull } from './fields';

/** A relay as the API lists it, and what a relay receives for a batch. */

export const relaySchema = z
  .object({
    id: z.string(),
    source: z.string(),
    createdAt: time,
    revokedAt: timeOrNull.describe(
      'When the key of the relay was revoked. Captures that were still open then are not ingested.',
    ),
    heardAt: timeOrNull.describe(
      'When the relay last contacted the API, which it does every 15 seconds.',
    ),
    silentMs: z.number().nullable().describe('Milliseconds since then.'),
    version: z.string().nullable(),
    backlog: z.int().describe('Captures that are still queued at the relay, as last reported.'),
    oldestAt: timeOrNull.describe('When the oldest of them was captured.'),
    quarantined: z
      .int()
      .describe('Damaged spool segments at the relay that an operator should inspect.'),
    clockAheadMs: z
      .int()
      .nullable()
      .describe("Milliseconds by which the relay's clock is ahead of the database's."),
    sequence: z
      .string()
      .nullable()
      .describe("The source's name for the last change that the relay submitted."),
    host: z.string().nullable().describe('The machine that the relay runs on.'),
    covers: z
      .enum(['host', 'source'])
      .describe('Whether the relay captures the changes on its machine or in the whole source.'),
    startpointApplied: z
      .int()
      .nullable()
      .describe(
        'The number of the startpoint that the relay applied last; null if it polls nothing.',
      ),
    trouble: z.string().nullable().describe('Why the relay cannot read its source.'),
    missed: z
      .int()
      .describe('How often changes were trimmed from the source before the relay read them.'),
    received: z.int().describe('Captures that the relay has submitted.'),
    lost: z.int().describe('Captures that were lost for good; the audit records each of them.'),
    open: z.int().describe('Submitted captures that no worker has ingested yet.'),
  })
  .meta({ id: 'Relay' });

export const relaysSchema = z.object({ relays: z.array(relaySchema) });

/** A public key of RFC 8037. */
export const publicKeyOf = (curve: 'Ed25519' | 'X25519') =>
  z.object({
    kty: z.literal('OKP'),
    crv: z.literal(curve),
    x: z.string().regex(/^[\w-]{43}$/),
  });

export const relayCreatedSchema = z.object({
  id: z.string(),
  key: z.string(),
  signer: publicKeyOf('Ed25519').describe(
    'The public key that verifies the keys the relay seals to. Pin it.',
  ),
});

export type Relay = z.output<typeof relaySchema>;
export type Relays = z.output<typeof relaysSchema>;
export type RelayCreated = z.output<typeof relayCreatedSchema>;
