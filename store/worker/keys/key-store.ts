import type { KeyObject } from 'node:crypto';
import type { JsonWebKey } from '../../../sealing/published-key';

/**
 * Keeps the private keys of the worker outside the database and its backups, so that destroying a key makes every
 * copy of what was sealed to it unreadable. The default is a folder; a KMS or Vault Transit could implement the same
 * interface.
 */
export interface KeyStore {
  /** Makes a key pair for sealing, and returns only its public half. */
  createEpochKey(epochId: string): Promise<JsonWebKey>;
  /** The private key of an epoch; null when it was destroyed, or was never in this store. */
  epochKey(epochId: string): Promise<KeyObject | null>;
  /** Destroys the private key of an epoch; has no effect when it is gone already. */
  destroyEpochKey(epochId: string): Promise<void>;
  /** Signs a message with Ed25519, as base64url. The api checks by this signature that a worker made an epoch. */
  sign(message: Buffer): Promise<string>;
  /** The master key that seals new credentials of mappings. */
  currentMasterKey(): Promise<MasterKey>;
  /**
   * An older master key, to open a credential that it has sealed.
   * @throws Error when there is no such key
   */
  masterKey(id: string): Promise<MasterKey>;
  /** Ids of the master keys of which no backup is recorded. */
  unsavedMasterKeys(): Promise<readonly string[]>;
}

export interface MasterKey {
  readonly id: string;
  /** Key for AES-256. */
  readonly key: KeyObject;
}
