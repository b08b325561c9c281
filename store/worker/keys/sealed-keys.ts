import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { Misconfigured } from '../../../config';
import type { Database } from '../../database';
import { newId } from '../../ids';
import {
  KeyStoreUnavailable,
  MASTER_KEY_BYTES,
  type MasterKey,
  type MasterKeyStore,
} from './key-store';

/** A key server: it seals and opens master keys with a key that never leaves it. Both throw `KeyStoreUnavailable`. */
export interface KeyServer {
  /** Name of the key in the server, for the operator. */
  readonly place: string;
  /** Seals a master key. It can be opened only with the same id. */
  seal(id: string, bytes: Buffer): Promise<string>;
  open(id: string, sealed: string): Promise<Buffer>;
}

/**
 * Master keys that a key server has sealed, in the database. Neither the database nor a copy of it can open them. The
 * first one is made when it is needed. What was opened stays in memory, so stored credentials are readable while the
 * server is away; a new one is sealed only while the server can open its key.
 */
export function openSealedKeys(db: Database, server: KeyServer): MasterKeyStore {
  const rows = keyRows(db);
  const opener = openerAt(server);
  /** Seals a key, and opens it again before it is stored. @returns false when there is a key with this id */
  const store = async (id: string, bytes: Buffer, isSaved: boolean): Promise<boolean> => {
    const row = { id, sealed: await server.seal(id, bytes), fingerprint: fingerprintOf(bytes) };
    await opener.open(row);
    return rows.insert(row, isSaved);
  };
  const generate = async (): Promise<string> => {
    const id = newId('key');
    await store(id, randomBytes(MASTER_KEY_BYTES), false);
    return id;
  };
  const renew = async (row: Row): Promise<void> => {
    const { key } = await opener.open(row);
    const sealed = await server.seal(row.id, key.export());
    await opener.open({ ...row, sealed });
    await rows.replace(row, sealed);
  };
  return {
    place: server.place,
    async currentMasterKey() {
      const newest = (await rows.all()).at(-1);
      // Two workers that start at the same time may each make one, which does no harm: the newest one seals.
      return opener.proved(newest ?? (await rows.one(await generate())));
    },
    masterKey: async (id) => opener.known(id) ?? opener.open(await rows.one(id)),
    unsavedMasterKeys: rows.unsaved,
    // The server is asked for the current key only: it may limit requests, and opens all keys or none.
    masterKeyFault: async () => null,
    masterKeyIds: async () => (await rows.all()).map(({ id }) => id),
    generate,
    async add(id, bytes) {
      const isNew = await store(id, bytes, true);
      if (!(await rows.one(id)).fingerprint.equals(fingerprintOf(bytes)))
        throw new Misconfigured(
          `The database has another master key with the id ${id}. Nothing was replaced.`,
        );
      if (!isNew) await rows.markSaved([id]);
      return isNew;
    },
    markSaved: rows.markSaved,
    async renew() {
      for (const row of await rows.all())
        await renew(row).catch((error) => {
          // A key that the server cannot open stays as it is, and does not keep the others from being sealed again.
          if (!(error instanceof KeyStoreUnavailable && error.problem === 'wrong_key')) throw error;
        });
    },
  };
}

interface Row {
  readonly id: string;
  readonly sealed: string;
  readonly fingerprint: Buffer;
}

/** Recognises a key, and reveals nothing of it: a server that opens another key would make credentials unreadable. */
const fingerprintOf = (bytes: Buffer): Buffer =>
  createHmac('sha256', bytes).update('lockstep-master-key').digest();

/** For how long an answer of the key server proves that the current key can still be opened. */
const PROOF_MS = 5_000;

/** Opens rows at the key server, and keeps what it opened. */
function openerAt(server: KeyServer) {
  const opened = new Map<string, MasterKey>();
  const asked = new Map<string, Promise<MasterKey>>();
  let proof = { id: '', untilMs: 0 };
  const open = async (row: Row): Promise<MasterKey> => {
    const bytes = await server.open(row.id, row.sealed);
    if (!fingerprintOf(bytes).equals(row.fingerprint)) throw new KeyStoreUnavailable('wrong_key');
    const key = { id: row.id, key: createSecretKey(bytes) };
    bytes.fill(0);
    opened.set(row.id, key);
    return key;
  };
  const prove = async (row: Row): Promise<MasterKey> => {
    const key = await open(row);
    proof = { id: row.id, untilMs: performance.now() + PROOF_MS };
    return key;
  };
  return {
    open,
    known: (id: string) => opened.get(id),
    /** A key that the server has opened a moment ago. It is asked once for all who need the key at the same time. */
    async proved(row: Row): Promise<MasterKey> {
      const known = opened.get(row.id);
      const isProved = proof.id === row.id && performance.now() < proof.untilMs;
      if (known !== undefined && isProved) return known;
      const asking = asked.get(row.id) ?? prove(row).finally(() => asked.delete(row.id));
      asked.set(row.id, asking);
      return asking;
    },
  };
}

/** The rows of the sealed master keys. */
function keyRows(db: Database) {
  const all = (): Promise<Row[]> =>
    db.selectFrom('master_key').select(['id', 'sealed', 'fingerprint']).orderBy('id').execute();
  return {
    /** The newest last, because ids grow with time. */
    all,
    async one(id: string): Promise<Row> {
      const row = (await all()).find((found) => found.id === id);
      if (row === undefined) throw new KeyStoreUnavailable('missing');
      return row;
    },
    /** @returns false when there is a key with this id, which stays */
    async insert(row: Row, isSaved: boolean): Promise<boolean> {
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('master_key')
        .values({ ...row, saved_at: isSaved ? sql`now()` : null })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .executeTakeFirst();
      return numInsertedOrUpdatedRows === 1n;
    },
    async replace({ id, sealed }: Row, by: string): Promise<void> {
      const same = db.updateTable('master_key').where('id', '=', id).where('sealed', '=', sealed);
      await same.set({ sealed: by }).execute();
    },
    async markSaved(ids: readonly string[]): Promise<void> {
      await sql`update master_key set saved_at = now() where id = any(${[...ids]}::text[])`.execute(
        db,
      );
    },
    async unsaved(): Promise<readonly string[]> {
      const found = db.selectFrom('master_key').select('id').where('saved_at', 'is', null);
      return (await found.orderBy('id').execute()).map(({ id }) => id);
    },
  };
}
