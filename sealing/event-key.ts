import { type KeyObject, verify } from 'node:crypto';

/** A public key that verifies security events (RSA, RFC 7518 §6.3.1), as a JWK without its key id. */
export interface EventJwk {
  readonly kty: 'RSA';
  readonly n: string;
  readonly e: string;
}

/** The public half of a key with which a worker signs security events, as it published and signed it. */
export interface PublishedEventKey {
  readonly id: string;
  readonly publicKey: EventJwk;
  /** Ed25519 signature of `signedEventKey`, in base64url. */
  readonly signature: string;
}

/** The text that the signature of a published key covers. */
export const signedEventKey = ({ id, publicKey }: Omit<PublishedEventKey, 'signature'>): Buffer =>
  Buffer.from(`lockstep-event-key\n${id}\n${publicKey.n}\n${publicKey.e}`);

/**
 * True when the signer signed the key. A writer of the database therefore cannot have receivers trust another key.
 */
export const isEventKeyOf = (signer: KeyObject, key: PublishedEventKey): boolean =>
  verify(null, signedEventKey(key), signer, Buffer.from(key.signature, 'base64url'));
