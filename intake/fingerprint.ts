import { createHmac, type KeyObject } from 'node:crypto';
import { Secret } from '../model/passwords/secret';

/**
 * The fingerprint of a request, which distinguishes a repeat under the same Idempotency-Key from a new request. It
 * covers the passwords, so it is keyed (HMAC-SHA-256) and the key is not in the database: a reader of the database
 * cannot test guesses.
 */
export function fingerprintOf(
  key: KeyObject,
  fields: readonly (string | null)[],
  secrets: readonly (Secret | null)[],
): Buffer {
  const hmac = createHmac('sha256', key).update(JSON.stringify(fields));
  for (const secret of secrets) {
    // The length before each secret separates it from the next one.
    if (secret === null) hmac.update('\n-');
    else secret.use((bytes) => hmac.update(`\n${bytes.length}\n`).update(bytes));
  }
  return hmac.digest();
}

/**
 * The fingerprint of a password of one person. It differs between people, so it does not show that two share a
 * password.
 */
export const passwordFingerprint = (key: KeyObject, identityId: string, password: Secret): Buffer =>
  fingerprintOf(key, ['password', identityId], [password]);

/**
 * The fingerprint of a salt, by which a hash that Lockstep wrote itself is recognised: no one else has drawn the same
 * salt, and computing the hash again would take too long here.
 * @returns an empty list for a hash without a salt, because all such hashes would have the same fingerprint
 */
export const saltFingerprints = (key: KeyObject, identityId: string, salt: Buffer): Buffer[] =>
  salt.length === 0
    ? []
    : [fingerprintOf(key, ['salt', identityId], [Secret.of(Buffer.from(salt))])];
