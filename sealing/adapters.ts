import type { KeyObject } from 'node:crypto';
import { CompactEncrypt, type CryptoKey, compactDecrypt, importJWK } from 'jose';
import type { JsonWebKey } from './published-key';

/** A key to which messages for an adapter are sealed: its own, or the session key of one api process. */
export interface AdapterKey {
  readonly id: string;
  readonly publicKey: JsonWebKey;
}

/**
 * Seals a message to an adapter: JWE compact (RFC 7516), ECDH-ES on X25519 (RFC 8037), A256GCM. It has no critical header
 * parameter, because programs of customers open it with any library.
 * @param message zeroed when this returns
 * @returns JWE compact, in ASCII
 */
export async function sealToAdapter(
  { id, publicKey }: AdapterKey,
  message: Buffer,
): Promise<Buffer> {
  try {
    const key = (await importJWK({ ...publicKey }, 'ECDH-ES')) as CryptoKey;
    const jwe = await new CompactEncrypt(message)
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', kid: id, cty: 'application/json' })
      .encrypt(key);
    return Buffer.from(jwe, 'ascii');
  } finally {
    message.fill(0);
  }
}

/**
 * Opens a message that was sealed to a session key. The caller zeroes the returned bytes.
 * @throws Error when the message was sealed to another key, or was tampered with
 */
export async function openWithSessionKey(jwe: Buffer, privateKey: KeyObject): Promise<Buffer> {
  const { plaintext } = await compactDecrypt(jwe, privateKey, {
    keyManagementAlgorithms: ['ECDH-ES'],
    contentEncryptionAlgorithms: ['A256GCM'],
  });
  return Buffer.from(plaintext.buffer, plaintext.byteOffset, plaintext.byteLength);
}
