import type { KeyObject } from 'node:crypto';
import { Misconfigured } from '../../../config';
import { type KeyStoreProblem, keyStoreProblems } from '../../../model/key-store-problem';
import type { JsonWebKey } from '../../../sealing/published-key';

/**
 * Keeps the private keys of the worker outside the database and its backups, so that destroying a key makes every
 * copy of what was sealed to it unreadable. The keys of epochs and the signer are in a folder. The master keys are in the
 * same folder, or sealed by a key server.
 */
export interface KeyStore extends MasterKeys {
  /** Makes a key pair for sealing, and returns only its public half. */
  createEpochKey(epochId: string): Promise<JsonWebKey>;
  /** The private key of an epoch; null when it was destroyed, or was never in this store. */
  epochKey(epochId: string): Promise<KeyObject | null>;
  /** Destroys the private key of an epoch; has no effect when it is gone already. */
  destroyEpochKey(epochId: string): Promise<void>;
  /** Signs a message with Ed25519, as base64url. The api checks by this signature that a worker made an epoch. */
  sign(message: Buffer): Promise<string>;
}

/** The master keys, which seal the stored credentials of mappings. */
export interface MasterKeys {
  /**
   * The newest master key, which seals new credentials. The store was reached a moment ago, so the key is not lost.
   * @throws KeyStoreUnavailable
   */
  currentMasterKey(): Promise<MasterKey>;
  /**
   * A master key, to open a credential that it has sealed. A key that was read once is available without the store.
   * @throws KeyStoreUnavailable
   */
  masterKey(id: string): Promise<MasterKey>;
  /** Ids of all master keys, the newest last, because ids grow with time. */
  masterKeyIds(): Promise<readonly string[]>;
  /**
   * Why the store could not give a master key to a worker that starts now, although this one may have read it before.
   * @returns null when it could
   */
  masterKeyFault(id: string): Promise<KeyStoreUnavailable | null>;
  /** Ids of the master keys of which no backup is recorded. */
  unsavedMasterKeys(): Promise<readonly string[]>;
}

/**
 * What an operator does with the master keys, in each kind of store. Reads throw `KeyStoreUnavailable`; a write to the key
 * folder throws the error of the file system.
 */
export interface MasterKeyStore extends MasterKeys {
  /** Where the keys are, for the operator. */
  readonly place: string;
  /** Makes a master key, which seals new credentials from now on. @returns its id */
  generate(): Promise<string>;
  /**
   * Adds a master key of a backup, as one that has a backup.
   * @returns false when the store has this key already
   * @throws Misconfigured when the store has another key with this id
   */
  add(id: string, bytes: Buffer): Promise<boolean>;
  /** Records that master keys have a backup. */
  markSaved(ids: readonly string[]): Promise<void>;
  /** Seals the master keys again under the newest version of the key of a key server, so that it can end older ones. */
  renew(): Promise<void>;
}

export interface MasterKey {
  readonly id: string;
  /** Key for AES-256. */
  readonly key: KeyObject;
}

/** Length of a master key. */
export const MASTER_KEY_BYTES = 32;

/** The store of the master keys cannot be used now. The message is the sentence of the problem, or a more exact one. */
export class KeyStoreUnavailable extends Misconfigured {
  readonly problem: KeyStoreProblem;

  constructor(problem: KeyStoreProblem, says: string = keyStoreProblems[problem]) {
    super(says);
    this.problem = problem;
  }
}

/** Why new credentials cannot be sealed now; null when they can. */
export const keyStoreProblem = async (keys: MasterKeys): Promise<KeyStoreProblem | null> =>
  (await sealingKey(keys)).problem;

/** The id of the master key that seals new credentials, or why none can be sealed now. */
export async function sealingKey(
  keys: MasterKeys,
): Promise<{ readonly id: string | null; readonly problem: KeyStoreProblem | null }> {
  try {
    const { id } = await keys.currentMasterKey();
    return { id, problem: null };
  } catch (error) {
    if (error instanceof KeyStoreUnavailable) return { id: null, problem: error.problem };
    throw error;
  }
}
