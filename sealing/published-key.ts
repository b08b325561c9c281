import { type KeyObject, verify } from 'node:crypto';

export interface JsonWebKey {
  readonly kty: string;
  readonly crv?: string;
  readonly x?: string;
}

/** What is sealed to a key: a change, between the api and the worker, or a capture, on its way from a relay. */
export type KeyPurpose = 'change' | 'capture';

/** The public half of a key that a worker made to be sealed to, and signed. */
export interface PublishedKey {
  readonly id: string;
  readonly publicKey: JsonWebKey;
  readonly sealUntil: Date;
  /** Ed25519, base64url. */
  readonly signature: string;
}

const labels: Readonly<Record<KeyPurpose, string>> = {
  change: 'lockstep-epoch',
  capture: 'lockstep-capture-key',
};

export const signedText = (
  purpose: KeyPurpose,
  { id, publicKey, sealUntil }: Omit<PublishedKey, 'signature'>,
): Buffer =>
  Buffer.from(
    `${labels[purpose]}\n${id}\n${publicKey.crv}\n${publicKey.x}\n${sealUntil.toISOString()}`,
  );

/** Whether the key is one of ours: whoever stands between cannot have passwords sealed to a key of his own. */
export const isPublishedBy = (signer: KeyObject, purpose: KeyPurpose, key: PublishedKey): boolean =>
  verify(null, signedText(purpose, key), signer, Buffer.from(key.signature, 'base64url'));
