import { isAscii } from 'node:buffer';
import { createHash, createHmac, pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import type { Secret } from '../model/passwords/secret';
import { saslprep } from './saslprep';

const derive = promisify(pbkdf2);

/** The keys of RFC 5802 section 3, with SHA-256 (RFC 7677). */
export interface ScramKeys {
  /** Suffices for a login, like the password. The caller zeroes it after use. */
  readonly clientKey: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** Derives the SCRAM keys of a password. */
export async function scramKeys(
  password: Secret,
  salt: Buffer,
  iterations: number,
): Promise<ScramKeys> {
  const salted = await usePrepared(password, (bytes) =>
    derive(bytes, salt, iterations, 32, 'sha256'),
  );
  const clientKey = hmac(salted, 'Client Key');
  const serverKey = hmac(salted, 'Server Key');
  salted.fill(0);
  return { clientKey, serverKey, storedKey: createHash('sha256').update(clientKey).digest() };
}

export const hmac = (key: Buffer, text: string): Buffer =>
  createHmac('sha256', key).update(text).digest();

/**
 * Lends the SASLprep form of the password to `reader` for the duration of the call. That suffices for `pbkdf2`, which
 * copies its password before it returns.
 */
function usePrepared<T>(password: Secret, reader: (bytes: Buffer) => T): T {
  return password.use((bytes) => {
    // SASLprep does not change ASCII, so most passwords need not become a string.
    if (isAscii(bytes)) return reader(bytes);
    const prepared = Buffer.from(saslprep(bytes.toString('utf8')));
    try {
      return reader(prepared);
    } finally {
      prepared.fill(0);
    }
  });
}
