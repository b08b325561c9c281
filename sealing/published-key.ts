import { type KeyObject, verify } from 'node:crypto';

export interface JsonWebKey {
  readonly kty: string;
  readonly crv?: string;
  readonly x?: string;
}

/** The use of a key: changes are sealed to it by the api, or captures by relays. */
export type KeyPurpose = 'change' | 'capture';

/** The public half of a sealing key, as a worker published and signed it. */
export interface PublishedKey {
  readonly id: string;
  readonly publicKey: JsonWebKey;
  readonly sealUntil: Date;
  /** Ed25519 signature of `signedText`, in base64url. */
  readonly signature: string;
}

const labels: Readonly<Record<KeyPurpose, string>> = {
  change: 'lockstep-epoch',
  capture: 'lockstep-capture-key',
};

/** The text that the signature of a published key covers. */
export const signedText = (
  purpose: KeyPurpose,
  { id, publicKey, sealUntil }: Omit<PublishedKey, 'signature'>,
): Buffer =>
  Buffer.from(
    `${labels[purpose]}\n${id}\n${publicKey.crv}\n${publicKey.x}\n${sealUntil.toISOString()}`,
  );

/**
 * True when the signer signed the key. An attacker on the way therefore cannot have passwords sealed to another key.
 */
export const isPublishedBy = (signer: KeyObject, purpose: KeyPurpose, key: PublishedKey): boolean =>
  verify(null, signedText(purpose, key), signer, Buffer.from(key.signature, 'base64url'));
