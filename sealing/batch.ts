import type { KeyObject } from 'node:crypto';
import { CompactSign, compactVerify } from 'jose';
import { z } from 'zod';

/** What a relay sends: records in their order, how it is, and nothing else. JWS compact (RFC 7515), Ed25519. */
const position = z.strictObject({
  segment: z.string().min(1).max(64),
  position: z.int().min(1),
});

export const MOST_RECORDS = 100;
/** A password, an account and a header of the most that the api takes, in base64. */
const MOST_LETTERS = 32 * 1024;

const batchSchema = z.strictObject({
  /** Larger than that of each request before. */
  request: z.int().min(1),
  sentAt: z.iso.datetime(),
  version: z.string().max(40),
  /** Records that are not taken in yet, these included. */
  backlog: z.int().min(0),
  /** When the oldest of them was captured. */
  oldestAt: z.iso.datetime().nullable(),
  /** Files that an operator should look at. */
  quarantined: z.int().min(0),
  /** The machine that it runs on, as that calls itself. */
  host: z.string().max(255).optional(),
  covers: z.enum(['host', 'source']).optional(),
  /** Of a relay that reads its source: see `RelayReading`. */
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
  /** Of the first record. */
  from: z.int().min(1),
  /** JWE compact; null for one that is damaged. */
  records: z.array(z.string().max(MOST_LETTERS).nullable()).max(MOST_RECORDS),
});

export type SignedBatch = z.infer<typeof batchSchema>;

export const signBatch = (privateKey: KeyObject, batch: SignedBatch): Promise<string> =>
  new CompactSign(Buffer.from(JSON.stringify(batch)))
    .setProtectedHeader({ alg: 'EdDSA' })
    .sign(privateKey);

/** Null when it was signed by somebody else, or does not hold a batch. */
export async function readBatch(jws: string, publicKey: KeyObject): Promise<SignedBatch | null> {
  try {
    const { payload } = await compactVerify(jws, publicKey, { algorithms: ['EdDSA'] });
    return batchSchema.parse(JSON.parse(Buffer.from(payload).toString('utf8')));
  } catch {
    return null;
  }
}
