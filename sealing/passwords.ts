import type { KeyObject } from 'node:crypto';
import { CompactEncrypt, type CryptoKey, compactDecrypt, importJWK } from 'jose';
import { Secret } from '../model/secret';
import type { JsonWebKey } from './published-key';

/**
 * Passwords in transit between the api and the worker: JWE compact (RFC 7516), ECDH-ES on X25519 (RFC 8037), A256GCM. Whom
 * and what it is for stands in the protected header, so a row that is moved to another change does not open.
 */
export interface SealedFor {
  readonly changeId: string;
  readonly identityId: string;
  readonly seq: number;
  readonly expiresAt: Date;
}

export interface Passwords {
  readonly next: Secret;
  /** The current password, when the request brought one to be validated on the auth account. */
  readonly current: Secret | null;
}

export interface SealingKey {
  readonly epochId: string;
  readonly publicKey: CryptoKey;
}

export async function sealingKey(epochId: string, publicKey: JsonWebKey): Promise<SealingKey> {
  return { epochId, publicKey: (await importJWK({ ...publicKey }, 'ECDH-ES')) as CryptoKey };
}

const LENGTH_BYTES = 4;

export async function seal(
  key: SealingKey,
  sealedFor: SealedFor,
  passwords: Passwords,
): Promise<Buffer> {
  const payload = pack(passwords);
  try {
    const jwe = await new CompactEncrypt(payload)
      .setProtectedHeader({
        alg: 'ECDH-ES',
        enc: 'A256GCM',
        kid: key.epochId,
        ...headerOf(sealedFor),
      })
      .encrypt(key.publicKey);
    return Buffer.from(jwe, 'ascii');
  } finally {
    payload.fill(0);
  }
}

/**
 * Whoever calls it destroys what it returns.
 * @throws Error when it was sealed for something else, was tampered with, or the key is another one
 */
export async function unseal(
  jwe: Buffer,
  privateKey: KeyObject,
  sealedFor: SealedFor,
): Promise<Passwords> {
  const { plaintext, protectedHeader } = await compactDecrypt(jwe, privateKey, {
    keyManagementAlgorithms: ['ECDH-ES'],
    contentEncryptionAlgorithms: ['A256GCM'],
  });
  try {
    for (const [name, value] of Object.entries(headerOf(sealedFor)))
      if (protectedHeader[name] !== value)
        throw new Error(`The sealed password is not for this change: ${name} differs`);
    return unpack(Buffer.from(plaintext.buffer, plaintext.byteOffset, plaintext.byteLength));
  } finally {
    plaintext.fill(0);
  }
}

const headerOf = ({ changeId, identityId, seq, expiresAt }: SealedFor) => ({
  cid: changeId,
  sub: identityId,
  seq,
  exp: expiresAt.getTime(),
});

/** Length of the new password, the new password, then the current one if there is one. */
export function pack({ next, current }: Passwords): Buffer {
  return next.use((nextBytes) => {
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32BE(nextBytes.length);
    if (current === null) return Buffer.concat([length, nextBytes]);
    return current.use((bytes) => Buffer.concat([length, nextBytes, bytes]));
  });
}

export function unpack(payload: Buffer): Passwords {
  const end = LENGTH_BYTES + payload.readUInt32BE(0);
  const copy = (from: number, to: number) => Secret.of(Buffer.from(payload.subarray(from, to)));
  return {
    next: copy(LENGTH_BYTES, end),
    // A password is never empty, so nothing after the first means that there is no second.
    current: end < payload.length ? copy(end, payload.length) : null,
  };
}

export function destroyPasswords(passwords: Passwords): void {
  passwords.next.destroy();
  passwords.current?.destroy();
}
