import type { KeyObject } from 'node:crypto';
import {
  CompactEncrypt,
  type CompactJWEHeaderParameters,
  type CryptoKey,
  compactDecrypt,
  importJWK,
} from 'jose';
import type { JsonWebKey } from './published-key';

/**
 * How everything that a worker alone may open is sealed: JWE compact (RFC 7516), ECDH-ES on X25519 (RFC 8037), A256GCM.
 */
export interface SealingKey {
  readonly epochId: string;
  readonly publicKey: CryptoKey;
}

export async function sealingKey(epochId: string, publicKey: JsonWebKey): Promise<SealingKey> {
  return { epochId, publicKey: (await importJWK({ ...publicKey }, 'ECDH-ES')) as CryptoKey };
}

/**
 * The layout of what is sealed. It is critical (RFC 7516 §4.1.13): whoever knows another one would take a part of it for the
 * password, so neither an older program nor a newer one opens it.
 */
const LAYOUT = { fmt: 2, crit: ['fmt'] };
const CRITICAL = { crit: { fmt: true } };

/**
 * @param members of the protected header: what anybody may read, and nobody may change
 * @param payload zeroed when this returns
 */
export async function sealPayload(
  { epochId, publicKey }: SealingKey,
  members: Readonly<Record<string, string | number>>,
  payload: Buffer,
): Promise<Buffer> {
  try {
    const jwe = await new CompactEncrypt(payload)
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', kid: epochId, ...members, ...LAYOUT })
      .encrypt(publicKey, CRITICAL);
    return Buffer.from(jwe, 'ascii');
  } finally {
    payload.fill(0);
  }
}

/**
 * @param read copies what it needs of the payload, which is zeroed afterwards
 * @throws Error when it was tampered with, was sealed by another release, or the key is another one
 */
export async function unsealPayload<T>(
  jwe: Buffer,
  privateKey: KeyObject,
  read: (members: CompactJWEHeaderParameters, payload: Buffer) => T,
): Promise<T> {
  const { plaintext, protectedHeader } = await compactDecrypt(jwe, privateKey, {
    keyManagementAlgorithms: ['ECDH-ES'],
    contentEncryptionAlgorithms: ['A256GCM'],
    ...CRITICAL,
  });
  try {
    if (protectedHeader.fmt !== LAYOUT.fmt)
      throw new Error('The password was sealed by another release');
    const payload = Buffer.from(plaintext.buffer, plaintext.byteOffset, plaintext.byteLength);
    return read(protectedHeader, payload);
  } finally {
    plaintext.fill(0);
  }
}
