import type { KeyObject } from 'node:crypto';
import { CompactSign, compactVerify } from 'jose';
import { z } from 'zod';

/** The place of one record in the spool of a relay: see `model/captures/batch.ts`. */
const position = z.strictObject({
  segment: z.string().min(1).max(64),
  position: z.int().min(1),
});

export const MOST_RECORDS = 100;
/** Maximum length of one sealed record in base64: the longest password, account and header that the api accepts. */
const MOST_LETTERS = 32 * 1024;

/**
 * One request of a relay: records in their order, and its own status. It is sent as JWS compact (RFC 7515), signed with
 * Ed25519.
 */
const batchSchema = z.strictObject({
  /** Number of the request, larger than every earlier one, so that an old request cannot be replayed. */
  request: z.int().min(1),
  sentAt: z.iso.datetime(),
  version: z.string().max(40),
  /** Number of records that are not ingested yet, these included. */
  backlog: z.int().min(0),
  /** When the oldest of these records was captured; null when there is none. */
  oldestAt: z.iso.datetime().nullable(),
  /** Number of quarantined files, which an operator should look at. */
  quarantined: z.int().min(0),
  /** The name that the machine of the relay has for itself. */
  host: z.string().max(255).optional(),
  covers: z.enum(['host', 'source']).optional(),
  /** The status of reading, from a relay that reads its source: see `RelayReading`. */
  reading: z
    .strictObject({
      trouble: z
        .string()
        .regex(/^[a-z_]{1,40}$/)
        .nullable(),
      startpointApplied: z.int().min(0),
      missed: z.int().min(0),
    })
    .optional(),
  segment: z.string().min(1).max(64).nullable(),
  follows: position.nullable(),
  /** Number of the first record in its segment. */
  from: z.int().min(1),
  /** The sealed records as JWE compact; null for a damaged one. */
  records: z.array(z.string().max(MOST_LETTERS).nullable()).max(MOST_RECORDS),
});

export type SignedBatch = z.infer<typeof batchSchema>;

export const signBatch = (privateKey: KeyObject, batch: SignedBatch): Promise<string> =>
  new CompactSign(Buffer.from(JSON.stringify(batch)))
    .setProtectedHeader({ alg: 'EdDSA' })
    .sign(privateKey);

/** @returns null when the signature is not of this key, or the content is not a batch */
export async function readBatch(jws: string, publicKey: KeyObject): Promise<SignedBatch | null> {
  try {
    const { payload } = await compactVerify(jws, publicKey, { algorithms: ['EdDSA'] });
    return batchSchema.parse(JSON.parse(Buffer.from(payload).toString('utf8')));
  } catch {
    return null;
  }
}
