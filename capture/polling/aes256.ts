import { createDecipheriv, pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import type { Secret } from '../../model/passwords/secret';
import { secretFrom } from '../secret-copy';

/**
 * A password in the reversible scheme `{AES256}` of PingDirectory. The layout is documented by `AES256EncodedPassword` of the
 * UnboundID LDAP SDK: version and padding (4 bits each), salt, initialization vector, the length of the id of an encryption
 * settings definition and that id, then the ciphertext (AES-256-GCM) of the padded password, and the tag.
 */
export interface Aes256 {
  /** Id of the encryption settings definition whose passphrase decrypts the password, in lower-case hex. */
  readonly definition: string;
  readonly salt: Buffer;
  readonly vector: Buffer;
  readonly sealed: Buffer;
  readonly tag: Buffer;
  /** Number of zero bytes after the password. */
  readonly padding: number;
}

const SCHEME = '{AES256}';
const VERSION = 0;
const BYTES = { salt: 16, vector: 16, tag: 16, key: 32 };
const ROUNDS = 32_768;

export const isAes256 = (value: string): boolean => value.toUpperCase().startsWith(SCHEME);

/** Parses a stored `{AES256}` value. @returns null if it is malformed or of a version that is not documented */
export function readAes256(value: string): Aes256 | null {
  const bytes = Buffer.from(value.slice(SCHEME.length), 'base64');
  const vectorAt = 1 + BYTES.salt;
  const lengthAt = vectorAt + BYTES.vector;
  const [first = 0, idBytes = 0] = [bytes[0], bytes[lengthAt]];
  const sealedAt = lengthAt + 1 + idBytes;
  if (bytes.length < sealedAt + BYTES.tag || first >> 4 !== VERSION) return null;
  return {
    definition: bytes.toString('hex', lengthAt + 1, sealedAt),
    salt: bytes.subarray(1, vectorAt),
    vector: bytes.subarray(vectorAt, lengthAt),
    sealed: bytes.subarray(sealedAt, -BYTES.tag),
    tag: bytes.subarray(-BYTES.tag),
    padding: first & 0x0f,
  };
}

const derive = promisify(pbkdf2);

/** Decrypts a password. @returns null if the passphrase is wrong or the stored value was modified */
export async function openAes256(
  { salt, vector, sealed, tag, padding }: Aes256,
  passphrase: Secret,
): Promise<Secret | null> {
  const copy = passphrase.copy();
  const key = await copy.use((bytes) => derive(bytes, salt, ROUNDS, BYTES.key, 'sha512'));
  copy.destroy();
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, vector).setAuthTag(tag);
    const padded = decipher.update(sealed);
    try {
      decipher.final();
      return withoutPadding(padded, padding);
    } finally {
      padded.fill(0);
    }
  } catch {
    return null;
  } finally {
    key.fill(0);
  }
}

function withoutPadding(padded: Buffer, padding: number): Secret | null {
  const length = padded.length - padding;
  if (length < 0 || padded.subarray(length).some((byte) => byte !== 0)) return null;
  return secretFrom(padded.subarray(0, length));
}
