import type { KeyObject } from 'node:crypto';
import type { JsonWebKey } from '../../../sealing/published-key';

/**
 * Where the worker's private keys live: outside the database and its backups, so that destroying a key makes every
 * copy of what was sealed to it unreadable. A folder by default; a KMS or Vault Transit would stand behind the same
 * interface.
 */
export interface KeyStore {
  /** Makes a key pair for sealing; only its public half is returned. */
  createEpochKey(epochId: string): Promise<JsonWebKey>;
  /** Null when the key was destroyed, or never was here. */
  epochKey(epochId: string): Promise<KeyObject | null>;
  destroyEpochKey(epochId: string): Promise<void>;
  /** Ed25519 signature, base64url: by it the api knows that an epoch is ours. */
  sign(message: Buffer): Promise<string>;
  /** The key that seals new mappings. */
  currentMasterKey(): Promise<MasterKey>;
  /** @throws Error when there is no such key */
  masterKey(id: string): Promise<MasterKey>;
}

export interface MasterKey {
  readonly id: string;
  /** AES-256. */
  readonly key: KeyObject;
}
