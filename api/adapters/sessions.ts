import { createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import type { AdapterKey } from '../../sealing/adapters';
import type { JsonWebKey } from '../../sealing/published-key';

/**
 * The session keys of adapters that have no key of their own. They are in the memory of this process only: no other
 * process, and no copy of the database, can open the messages that are sealed to them.
 */
export interface AdapterSessions {
  /** The session key of a source. Two adapters of one source share it. */
  begin(source: string): Promise<AdapterKey>;
  /** The private key with this id; null when another process has made it, or this one before a restart. */
  privateKey(source: string, keyId: string): KeyObject | null;
}

export function openAdapterSessions(): AdapterSessions {
  const sessions = new Map<string, AdapterKey & { readonly privateKey: KeyObject }>();
  return {
    async begin(source) {
      const known = sessions.get(source);
      if (known !== undefined) return known;
      const { publicKey, privateKey } = generateKeyPairSync('x25519');
      const key = await adapterKey(publicKey.export({ format: 'jwk' }) as JsonWebKey);
      sessions.set(source, { ...key, privateKey });
      return key;
    },
    privateKey(source, keyId) {
      const known = sessions.get(source);
      return known?.id === keyId ? known.privateKey : null;
    },
  };
}

/** A public key with its id, the thumbprint of RFC 7638. */
export async function adapterKey({ kty, crv, x }: JsonWebKey): Promise<AdapterKey> {
  const publicKey = { kty, ...(crv && { crv }), ...(x && { x }) };
  return { id: await calculateJwkThumbprint(publicKey), publicKey };
}

/** Whether messages can be sealed to an X25519 key. A few points of the curve have no shared secret (RFC 7748, section 6.1). */
export function canSealTo(publicKey: JsonWebKey): boolean {
  const { privateKey } = generateKeyPairSync('x25519');
  try {
    const key = createPublicKey({ key: { ...publicKey }, format: 'jwk' });
    diffieHellman({ privateKey, publicKey: key });
    return true;
  } catch {
    return false;
  }
}
