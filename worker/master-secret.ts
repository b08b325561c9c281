import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { type Environment, Misconfigured } from '../config';
import type { KeyStoreProblem } from '../model/key-store-problem';
import type { Secret } from '../model/passwords/secret';
import { writeAudit } from '../store/audit';
import { openDatabase } from '../store/database';
import { credentialsByKey } from '../store/master-keys';
import { keyStoreProblem, type MasterKeyStore } from '../store/worker/keys/key-store';
import { openBackup, type SavedKey, sealBackup } from '../store/worker/keys/master-backup';
import { openMasterKeys } from '../store/worker/keys/open';
import { type Rotated, rotateCredentials } from '../store/worker/rotate-credentials';

/** Who acts in the audit: an operator with access to the keys of the worker, who needs no API key. */
const ACTOR = 'key-folder';

export interface MasterKeyStatus {
  readonly id: string;
  /** The key seals new credentials. */
  readonly current: boolean;
  readonly present: boolean;
  /** What is wrong with its file, and what to do; null when nothing is, or the key is missing. */
  readonly fault: string | null;
  readonly backedUp: boolean;
  /** How many stored credentials it seals. */
  readonly credentials: number;
}

export interface MasterSecretStatus {
  /** The key folder, or the key of a key server. */
  readonly place: string;
  /** Why new credentials cannot be sealed now; null when they can. */
  readonly problem: KeyStoreProblem | null;
  readonly keys: readonly MasterKeyStatus[];
}

/** What an operator does with the master keys on the machine of the worker. */
export interface MasterSecret {
  status(): Promise<MasterSecretStatus>;
  generate(): Promise<string>;
  /** @returns the ids of the saved keys. @throws Misconfigured when the file exists */
  backUp(file: string, passphrase: Secret): Promise<readonly string[]>;
  /** @returns the ids of the keys that were missing here */
  restore(file: string, passphrase: Secret): Promise<readonly string[]>;
  rotate(onBatch: (resealed: number) => void): Promise<Rotated>;
  close(): Promise<void>;
}

/** @param keyDir the key folder of the worker */
export function openMasterSecret(
  settings: Environment,
  keyDir: string,
  databaseUrl: string,
): MasterSecret {
  const database = openDatabase(databaseUrl, 'lockstep sso', 2);
  const { db } = database;
  const store = openMasterKeys(settings, keyDir, db);
  const audit = (action: 'backed-up' | 'restored', keys: number) =>
    writeAudit(db, { actor: ACTOR, action: `master-key.${action}`, detail: { keys } });
  const existing = async (): Promise<readonly string[]> => {
    const ids = await store.masterKeyIds();
    if (ids.length > 0) return ids;
    throw new Misconfigured(
      `There is no master key in ${store.place}. Run: lockstep sso secret restore, or generate.`,
    );
  };
  return {
    status: async () => statusOf(store, await credentialsByKey(db)),
    async generate() {
      const id = await store.generate();
      await writeAudit(db, { actor: ACTOR, action: 'master-key.generated', subject: id });
      return id;
    },
    async backUp(file, passphrase) {
      const ids = await existing();
      await writeBackup(file, await Promise.all(ids.map((id) => savedKey(store, id))), passphrase);
      await store.markSaved(ids);
      await audit('backed-up', ids.length);
      return ids;
    },
    async restore(file, passphrase) {
      const restored: string[] = [];
      const saved = openBackup(readBackup(file), passphrase);
      try {
        for (const { id, bytes } of saved) if (await store.add(id, bytes)) restored.push(id);
      } finally {
        await audit('restored', restored.length);
      }
      return restored;
    },
    async rotate(onBatch) {
      await existing();
      await store.renew();
      const current = await store.currentMasterKey();
      const keys = { currentMasterKey: async () => current, masterKey: store.masterKey };
      const rotated = await rotateCredentials(db, keys, onBatch);
      await writeAudit(db, {
        actor: ACTOR,
        action: 'master-key.rotated',
        subject: current.id,
        detail: { credentials: rotated.resealed, unreadable: rotated.unreadable },
      });
      return rotated;
    },
    close: () => database.close(),
  };
}

async function savedKey(store: MasterKeyStore, id: string): Promise<SavedKey> {
  const { key } = await store.masterKey(id);
  return { id, bytes: key.export() };
}

/** Includes the keys that stored credentials need but the store lacks. */
async function statusOf(
  store: MasterKeyStore,
  credentials: ReadonlyMap<string, number>,
): Promise<MasterSecretStatus> {
  const present = await store.masterKeyIds();
  const unsaved = await store.unsavedMasterKeys();
  const ids = [...new Set([...present, ...credentials.keys()])].sort();
  const faultOf = async (id: string) =>
    present.includes(id) ? ((await store.masterKeyFault(id))?.message ?? null) : null;
  return {
    place: store.place,
    // A folder without a key is shown by its list, and a key server makes the first key when it is needed.
    problem: present.length === 0 ? null : await keyStoreProblem(store),
    keys: await Promise.all(
      ids.map(async (id) => ({
        id,
        current: id === present.at(-1),
        present: present.includes(id),
        fault: await faultOf(id),
        backedUp: present.includes(id) && !unsaved.includes(id),
        credentials: credentials.get(id) ?? 0,
      })),
    ),
  };
}

/** @throws Misconfigured if the file cannot be read */
function readBackup(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Misconfigured(`${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}

/** Writes a backup that did not exist, and opens it again before it counts as one. */
async function writeBackup(
  file: string,
  keys: readonly SavedKey[],
  passphrase: Secret,
): Promise<void> {
  const target = await open(file, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    throw new Misconfigured(
      error.code === 'EEXIST'
        ? `${file} exists already. Name a new file.`
        : `${file} cannot be written (${error.code}).`,
    );
  });
  try {
    await target.writeFile(sealBackup(keys, passphrase));
    await target.sync();
  } finally {
    await target.close();
  }
  openBackup(readFileSync(file, 'utf8'), passphrase);
}
