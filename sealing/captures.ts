import type { KeyObject } from 'node:crypto';
import { CompactEncrypt, compactDecrypt, decodeProtectedHeader } from 'jose';
import { z } from 'zod';
import { type Passwords, pack, type SealingKey, unpack } from './passwords';

/**
 * A captured password on its way from a relay to the worker: JWE compact like the password of a change, to a key that
 * lives longer. Who captured it, where and when stands in the protected header; whose it is, is sealed. What an older
 * worker must not take for a password as it was typed has to be named in `crit` (RFC 7516 §4.1.13): then it does not open.
 */
export interface CaptureHeader {
  readonly relay: string;
  readonly source: string;
  /** By the clock of whoever captured it. */
  readonly capturedAt: Date;
  /** What the source calls this change: the same when it is told again. */
  readonly sequence: string | null;
}

export interface SealedCapture {
  readonly account: string;
  readonly passwords: Passwords;
}

const LENGTH_BYTES = 4;

export async function sealCapture(
  key: SealingKey,
  header: CaptureHeader,
  { account, passwords }: SealedCapture,
): Promise<Buffer> {
  const name = Buffer.from(account, 'utf8');
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(name.length);
  const secrets = pack(passwords);
  const payload = Buffer.concat([length, name, secrets]);
  try {
    const jwe = await new CompactEncrypt(payload)
      .setProtectedHeader({
        alg: 'ECDH-ES',
        enc: 'A256GCM',
        kid: key.epochId,
        ...membersOf(header),
      })
      .encrypt(key.publicKey);
    return Buffer.from(jwe, 'ascii');
  } finally {
    secrets.fill(0);
    payload.fill(0);
  }
}

const headerSchema = z
  .object({
    kid: z.string(),
    rly: z.string(),
    src: z.string(),
    at: z.int().min(-8.64e15).max(8.64e15),
    seq: z.string().max(255).optional(),
  })
  .transform(({ kid, rly, src, at, seq }) => ({
    keyId: kid,
    header: { relay: rly, source: src, capturedAt: new Date(at), sequence: seq ?? null },
  }));

/** What anybody can read of it, as it claims. Null when it is no sealed capture. */
export function readHeader(
  jwe: string,
): { readonly keyId: string; readonly header: CaptureHeader } | null {
  try {
    return headerSchema.parse(decodeProtectedHeader(jwe));
  } catch {
    return null;
  }
}

/**
 * Whoever calls it destroys the passwords that it returns.
 * @throws Error when it was sealed by somebody else, was tampered with, or the key is another one
 */
export async function unsealCapture(
  jwe: Buffer,
  privateKey: KeyObject,
  from: Pick<CaptureHeader, 'relay' | 'source'>,
): Promise<CaptureHeader & SealedCapture> {
  const { plaintext, protectedHeader } = await compactDecrypt(jwe, privateKey, {
    keyManagementAlgorithms: ['ECDH-ES'],
    contentEncryptionAlgorithms: ['A256GCM'],
  });
  try {
    const { header } = headerSchema.parse(protectedHeader);
    if (header.relay !== from.relay || header.source !== from.source)
      throw new Error('The sealed capture is not of this relay');
    const payload = Buffer.from(plaintext.buffer, plaintext.byteOffset, plaintext.byteLength);
    const end = LENGTH_BYTES + payload.readUInt32BE(0);
    const account = payload.toString('utf8', LENGTH_BYTES, end);
    return { ...header, account, passwords: unpack(payload.subarray(end)) };
  } finally {
    plaintext.fill(0);
  }
}

const membersOf = ({ relay, source, capturedAt, sequence }: CaptureHeader) => ({
  rly: relay,
  src: source,
  at: capturedAt.getTime(),
  ...(sequence === null ? {} : { seq: sequence }),
});
