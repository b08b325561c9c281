import type { KeyObject } from 'node:crypto';
import { decodeProtectedHeader } from 'jose';
import { z } from 'zod';
import { Secret } from '../model/passwords/secret';
import { type SealingKey, sealPayload, unsealPayload } from './jwe';

/**
 * A captured password on its way from a relay to the worker, sealed to a key that lives longer than those of changes. Who
 * captured it, where and when stands in the protected header; whose it is, is sealed.
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
  /** As the source gave it; of a hash nobody has looked yet whether it is one. */
  readonly password: Secret;
  readonly hashed: boolean;
  /** The password before, where the source knows it. */
  readonly current: Secret | null;
}

export const sealCapture = (
  key: SealingKey,
  header: CaptureHeader,
  capture: SealedCapture,
): Promise<Buffer> => sealPayload(key, membersOf(header), pack(capture));

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
export const unsealCapture = (
  jwe: Buffer,
  privateKey: KeyObject,
  from: Pick<CaptureHeader, 'relay' | 'source'>,
): Promise<CaptureHeader & SealedCapture> =>
  unsealPayload(jwe, privateKey, (members, payload) => {
    const { header } = headerSchema.parse(members);
    if (header.relay !== from.relay || header.source !== from.source)
      throw new Error('The sealed capture is not of this relay');
    return { ...header, ...unpack(payload) };
  });

const membersOf = ({ relay, source, capturedAt, sequence }: CaptureHeader) => ({
  rly: relay,
  src: source,
  at: capturedAt.getTime(),
  ...(sequence === null ? {} : { seq: sequence }),
});

const FORM_BYTES = 1;
const LENGTH_BYTES = 4;
const HASH = 1;

/** Whether it is a hash; then account, password, and the current one if there is one, each after its length. */
function pack({ account, password, hashed, current }: SealedCapture): Buffer {
  const secrets = current === null ? [password] : [password, current];
  const size = secrets.reduce(
    (sum, one) => sum + LENGTH_BYTES + one.use(({ length }) => length),
    FORM_BYTES + LENGTH_BYTES + Buffer.byteLength(account),
  );
  const payload = Buffer.alloc(size);
  let at = payload.writeUInt8(hashed ? HASH : 0);
  const put = (bytes: Buffer) => {
    at = payload.writeUInt32BE(bytes.length, at);
    at += bytes.copy(payload, at);
  };
  put(Buffer.from(account));
  for (const secret of secrets) secret.use(put);
  return payload;
}

function unpack(payload: Buffer): SealedCapture {
  let at = FORM_BYTES;
  const take = () => {
    const from = at + LENGTH_BYTES;
    at = from + payload.readUInt32BE(at);
    return payload.subarray(from, at);
  };
  const copy = () => Secret.of(Buffer.from(take()));
  return {
    account: take().toString('utf8'),
    hashed: payload.readUInt8(0) === HASH,
    password: copy(),
    current: at < payload.length ? copy() : null,
  };
}
