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
 * The public key of an epoch. Everything that only a worker may open is sealed to one: JWE compact (RFC 7516), ECDH-ES
 * on X25519 (RFC 8037), A256GCM.
 */
export interface SealingKey {
  readonly epochId: string;
  readonly publicKey: CryptoKey;
}

export async function sealingKey(epochId: string, publicKey: JsonWebKey): Promise<SealingKey> {
  return { epochId, publicKey: (await importJWK({ ...publicKey }, 'ECDH-ES')) as CryptoKey };
}

/**
 * The layout of sealed payloads. It is a critical header parameter (RFC 7516 §4.1.13), so a release with another layout
 * refuses the payload, instead of mistaking a part of it for the password.
 */
const LAYOUT = { fmt: 2, crit: ['fmt'] };
const CRITICAL = { crit: { fmt: true } };

/**
 * Seals a payload to the key of an epoch.
 * @param members members of the protected header, which anyone can read and a change of which is detected
 * @param payload zeroed when this returns
 * @returns JWE compact, in ASCII
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
 * Opens a sealed payload.
 * @param read copies what it needs of the payload, which is zeroed afterwards
 * @throws Error when the JWE was tampered with, was sealed by another release, or was sealed to another key
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
      throw new Error(
        'The password was sealed by another release. Run the same release on every machine.',
      );
    const payload = Buffer.from(plaintext.buffer, plaintext.byteOffset, plaintext.byteLength);
    return read(protectedHeader, payload);
  } finally {
    plaintext.fill(0);
  }
}
