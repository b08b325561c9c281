import { mkdirSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { Misconfigured } from '../config';
import type { Secret } from '../model/passwords/secret';
import { writeAudit } from '../store/audit';
import { openDatabase } from '../store/database';
import { openBackup, type SavedKey, sealBackup } from '../store/worker/keys/master-backup';
import {
  createMasterKey,
  importMasterKey,
  markSaved,
  masterFolder,
  masterKeyBytes,
  masterKeyIds,
  readMasterKey,
  unsavedMasterKeys,
} from '../store/worker/keys/master-keys';
import {
  credentialsByKey,
  type Rotated,
  rotateCredentials,
} from '../store/worker/rotate-credentials';

/** Who acts in the audit: an operator with access to the key folder, who needs no API key. */
const ACTOR = 'key-folder';

export interface MasterKeyStatus {
  readonly id: string;
  /** The key seals new credentials. */
  readonly current: boolean;
  readonly present: boolean;
  readonly backedUp: boolean;
  /** How many stored credentials it seals. */
  readonly credentials: number;
}

/** What an operator does with the master keys on the machine that has them. */
export interface MasterSecret {
  status(): Promise<readonly MasterKeyStatus[]>;
  generate(): Promise<string>;
  /** @returns the ids of the saved keys. @throws Misconfigured when the file exists */
  backUp(file: string, passphrase: Secret): Promise<readonly string[]>;
  /** @returns the ids of the keys that were missing here */
  restore(file: string, passphrase: Secret): Promise<readonly string[]>;
  rotate(onBatch: (resealed: number) => void): Promise<Rotated>;
  close(): Promise<void>;
}

/** @param dir the key folder of the worker */
export function openMasterSecret(dir: string, databaseUrl: string): MasterSecret {
  const database = openDatabase(databaseUrl, 'lockstep sso', 2);
  const { db } = database;
  mkdirSync(masterFolder(dir), { recursive: true, mode: 0o700 });
  const audit = (action: 'backed-up' | 'restored', keys: number) =>
    writeAudit(db, { actor: ACTOR, action: `master-key.${action}`, detail: { keys } });
  const newest = (): string => {
    const id = masterKeyIds(dir).at(-1);
    if (id !== undefined) return id;
    throw new Misconfigured(
      `There is no master key in ${dir}. Run: lockstep sso secret restore, or generate.`,
    );
  };
  return {
    status: async () => statusOf(dir, await credentialsByKey(db)),
    async generate() {
      const id = await createMasterKey(dir);
      await writeAudit(db, { actor: ACTOR, action: 'master-key.generated', subject: id });
      return id;
    },
    async backUp(file, passphrase) {
      newest();
      const keys = masterKeyIds(dir).map((id) => ({ id, bytes: masterKeyBytes(dir, id) }));
      await writeBackup(file, keys, passphrase);
      for (const { id } of keys) markSaved(dir, id);
      await audit('backed-up', keys.length);
      return keys.map(({ id }) => id);
    },
    async restore(file, passphrase) {
      const restored: string[] = [];
      for (const { id, bytes } of openBackup(readFileSync(file, 'utf8'), passphrase))
        if (await importMasterKey(dir, id, bytes)) restored.push(id);
      await audit('restored', restored.length);
      return restored;
    },
    async rotate(onBatch) {
      const current = readMasterKey(dir, newest());
      const keys = {
        currentMasterKey: async () => current,
        masterKey: async (id: string) => readMasterKey(dir, id),
      };
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

/** Includes the keys that stored credentials need but the folder lacks. */
function statusOf(dir: string, credentials: ReadonlyMap<string, number>): MasterKeyStatus[] {
  const present = masterKeyIds(dir);
  const unsaved = unsavedMasterKeys(dir);
  return [...new Set([...present, ...credentials.keys()])].sort().map((id) => ({
    id,
    current: id === present.at(-1),
    present: present.includes(id),
    backedUp: present.includes(id) && !unsaved.includes(id),
    credentials: credentials.get(id) ?? 0,
  }));
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
