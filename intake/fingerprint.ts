import { createHmac, type KeyObject } from 'node:crypto';
import { Secret } from '../model/passwords/secret';

/**
 * Tells a repeated request from another one under the same Idempotency-Key. It covers the passwords, so it is keyed,
 * and the key is not in the database: who reads the database cannot try passwords against it.
 */
export function fingerprintOf(
  key: KeyObject,
  fields: readonly (string | null)[],
  secrets: readonly (Secret | null)[],
): Buffer {
  const hmac = createHmac('sha256', key).update(JSON.stringify(fields));
  for (const secret of secrets) {
    // The length before each keeps two that follow each other apart.
    if (secret === null) hmac.update('\n-');
    else secret.use((bytes) => hmac.update(`\n${bytes.length}\n`).update(bytes));
  }
  return hmac.digest();
}

/** Tells a password from another one of the same person; that two people have the same does not show. */
export const passwordFingerprint = (key: KeyObject, identityId: string, password: Secret): Buffer =>
  fingerprintOf(key, ['password', identityId], [password]);

/**
 * Tells a hash that we made ourselves by its salt, which nobody else has drawn: to make it again would take too long here.
 * @returns none where there is no salt: all such hashes would be the same
 */
export const saltFingerprints = (key: KeyObject, identityId: string, salt: Buffer): Buffer[] =>
  salt.length === 0
    ? []
    : [fingerprintOf(key, ['salt', identityId], [Secret.of(Buffer.from(salt))])];
