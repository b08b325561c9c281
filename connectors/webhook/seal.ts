import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { CompactEncrypt, calculateJwkThumbprint } from 'jose';
import { readRegular } from '../../guarded-file';
import { NotSent } from '../http/failures';

/** The public key of a receiver, and the algorithm that seals requests to it. */
export interface Recipient {
  readonly key: KeyObject;
  readonly algorithm: 'ECDH-ES' | 'RSA-OAEP-256';
  /** The kid of its JWK, or else its thumbprint (RFC 7638). */
  readonly kid: string;
}

/** Minimum size of an RSA key (NIST SP 800-131A). */
const LEAST_RSA_BITS = 2048;

const MAX_BYTES = 64 * 1024;

/**
 * Reads the public key of a receiver. It is read for each request, so that a new key is picked up.
 * @throws NotSent if the file holds no supported public key; its `vendorCode` is the reason
 */
export async function recipientIn(file: string): Promise<Recipient> {
  let text: string;
  try {
    text = readRegular(file, MAX_BYTES).toString('utf8');
  } catch {
    throw keyRefused('key_not_readable');
  }
  const { key, kid } = parsedKey(text);
  const algorithm = algorithmFor(key);
  if (algorithm === null) throw keyRefused('key_not_supported');
  const jwk = key.export({ format: 'jwk' });
  return { key, algorithm, kid: kid ?? (await calculateJwkThumbprint(jwk as object)) };
}

const keyRefused = (code: string) => new NotSent('unreachable', code);

function parsedKey(text: string): { key: KeyObject; kid: string | undefined } {
  try {
    if (!text.trimStart().startsWith('{')) {
      if (text.includes('PRIVATE KEY')) throw keyRefused('key_is_private');
      return { key: createPublicKey(text), kid: undefined };
    }
    const jwk: JsonWebKey & { kid?: unknown } = JSON.parse(text);
    if ('d' in jwk) throw keyRefused('key_is_private');
    const kid = typeof jwk.kid === 'string' ? jwk.kid : undefined;
    return { key: createPublicKey({ key: jwk, format: 'jwk' }), kid };
  } catch (error) {
    throw error instanceof NotSent ? error : keyRefused('key_not_supported');
  }
}

function algorithmFor({
  asymmetricKeyType,
  asymmetricKeyDetails,
}: KeyObject): Recipient['algorithm'] | null {
  if (asymmetricKeyType === 'ec' || asymmetricKeyType === 'x25519') return 'ECDH-ES';
  const bits = asymmetricKeyDetails?.modulusLength ?? 0;
  return asymmetricKeyType === 'rsa' && bits >= LEAST_RSA_BITS ? 'RSA-OAEP-256' : null;
}

/** Seals the whole request in one JWE (RFC 7516), so that parts of several requests cannot be combined. */
export async function sealed(request: Buffer, recipient: Recipient): Promise<Buffer> {
  const { key, algorithm: alg, kid } = recipient;
  const jwe = new CompactEncrypt(request).setProtectedHeader({ alg, enc: 'A256GCM', kid });
  return Buffer.from(await jwe.encrypt(key));
}
