import type { KeyObject } from 'node:crypto';
import { decodeProtectedHeader } from 'jose';
import { z } from 'zod';
import { Secret } from '../model/passwords/secret';
import { zeroableBytes } from '../model/passwords/zeroable';
import { type SealingKey, sealPayload, unsealPayload } from './jwe';

/**
 * The readable part of a captured password on its way from a relay to the worker: the protected header says which relay
 * captured it, in which source and when. The account and the passwords are sealed, to a key that is kept longer than
 * the keys of changes.
 */
export interface CaptureHeader {
  readonly relay: string;
  readonly source: string;
  /** When the password was changed, by the clock of the capture agent. */
  readonly capturedAt: Date;
  /** The id that the source gives this password change, the same in a repeated report; null when it gives none. */
  readonly sequence: string | null;
}

/** The sealed part of a captured password. */
export interface SealedCapture {
  readonly account: string;
  /** The password or hash as the source gave it; whether a hash is valid is checked later. */
  readonly password: Secret;
  readonly hashed: boolean;
  /** The previous password; null when the source does not know it. */
  readonly current: Secret | null;
}

/** @returns the sealed capture as JWE compact, in ASCII */
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

/**
 * The header of a sealed capture, which anyone can read and which is not verified. Null when it is not a sealed
 * capture.
 */
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
 * Opens a sealed capture. The caller destroys the passwords that it returns.
 * @param from the relay that delivered it, and the source of that relay
 * @throws Error when the capture is of another relay or source, was tampered with, or was sealed to another key
 */
export const unsealCapture = (
  jwe: Buffer,
  privateKey: KeyObject,
  from: Pick<CaptureHeader, 'relay' | 'source'>,
): Promise<CaptureHeader & SealedCapture> =>
  unsealPayload(jwe, privateKey, (members, payload) => {
    const { header } = headerSchema.parse(members);
    if (header.relay !== from.relay || header.source !== from.source)
      throw new Error('The sealed capture is not of this relay. Check which relay delivered it.');
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

/**
 * Layout: one byte for the form; then account, password and the current password if there is one, each after its
 * length.
 */
function pack({ account, password, hashed, current }: SealedCapture): Buffer {
  const secrets = current === null ? [password] : [password, current];
  const size = secrets.reduce(
    (sum, secret) => sum + LENGTH_BYTES + secret.use(({ length }) => length),
    FORM_BYTES + LENGTH_BYTES + Buffer.byteLength(account),
  );
  const payload = zeroableBytes(size);
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
  const nextPart = () => {
    const from = at + LENGTH_BYTES;
    at = from + payload.readUInt32BE(at);
    return payload.subarray(from, at);
  };
  const copy = () => Secret.of(Buffer.from(nextPart()));
  return {
    account: nextPart().toString('utf8'),
    hashed: payload.readUInt8(0) === HASH,
    password: copy(),
    current: at < payload.length ? copy() : null,
  };
}
