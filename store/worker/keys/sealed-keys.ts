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

interface Row {
  readonly id: string;
  readonly sealed: string;
  readonly fingerprint: Buffer;
}

/** For how long an answer of the key server proves that the current key can still be opened. */
const PROOF_MS = 5_000;

/**
 * Master keys that a key server has sealed, in the database. Neither the database nor a copy of it can open them. The
 * first one is made when it is needed. What was opened stays in memory, so stored credentials are readable while the
 * server is away; a new one is sealed only while the server can open its key.
 */
export function openSealedKeys(db: Database, server: KeyServer): MasterKeyStore {
  const opened = new Map<string, MasterKey>();
  const asked = new Map<string, Promise<MasterKey>>();
  let proved = { id: '', untilMs: 0 };

  const rows = (id?: string) =>
    db
      .selectFrom('master_key')
      .select(['id', 'sealed', 'fingerprint'])
      .$if(id !== undefined, (query) => query.where('id', '=', id ?? ''))
      .orderBy('id')
      .execute();
  const open = async (row: Row): Promise<MasterKey> => {
    const bytes = await server.open(row.id, row.sealed);
    if (!fingerprintOf(bytes).equals(row.fingerprint)) throw new KeyStoreUnavailable('wrong_key');
    const key = { id: row.id, key: createSecretKey(bytes) };
    bytes.fill(0);
    opened.set(row.id, key);
    return key;
  };
  /** Asks the server once for all who need the key at the same time. */
  const prove = (row: Row): Promise<MasterKey> => {
    const running = asked.get(row.id);
    if (running !== undefined) return running;
    const asking = open(row)
      .then((key) => {
        proved = { id: row.id, untilMs: performance.now() + PROOF_MS };
        return key;
      })
      .finally(() => asked.delete(row.id));
    asked.set(row.id, asking);
    return asking;
  };
  const one = async (id: string): Promise<Row> => {
    const [row] = await rows(id);
    if (row === undefined) throw new KeyStoreUnavailable('missing');
    return row;
  };
  /** Seals a key, and opens it again before it is stored. @returns false when there is a key with this id */
  const store = async (id: string, bytes: Buffer, isSaved: boolean): Promise<boolean> => {
    const row = { id, sealed: await server.seal(id, bytes), fingerprint: fingerprintOf(bytes) };
    await open(row);
    const { numInsertedOrUpdatedRows } = await db
      .insertInto('master_key')
      .values({ ...row, saved_at: isSaved ? sql`now()` : null })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .executeTakeFirst();
    return numInsertedOrUpdatedRows === 1n;
  };
  const markSaved = async (ids: readonly string[]): Promise<void> => {
    await sql`update master_key set saved_at = now() where id = any(${[...ids]}::text[])`.execute(
      db,
    );
  };
  const generate = async (): Promise<string> => {
    const id = newId('key');
    await store(id, randomBytes(MASTER_KEY_BYTES), false);
    return id;
  };

  return {
    place: server.place,
    async currentMasterKey() {
      const newest = (await rows()).at(-1);
      // Two workers that start at the same time may each make one, which does no harm: the newest one seals.
      if (newest === undefined) return prove(await one(await generate()));
      const key = opened.get(newest.id);
      const isProved = proved.id === newest.id && performance.now() < proved.untilMs;
      return key !== undefined && isProved ? key : prove(newest);
    },
    masterKey: async (id) => opened.get(id) ?? prove(await one(id)),
    unsavedMasterKeys: async () => {
      const unsaved = db.selectFrom('master_key').select('id').where('saved_at', 'is', null);
      return (await unsaved.orderBy('id').execute()).map(({ id }) => id);
    },
    masterKeyIds: async () => (await rows()).map(({ id }) => id),
    generate,
    async add(id, bytes) {
      const isNew = await store(id, bytes, true);
      if (!(await one(id)).fingerprint.equals(fingerprintOf(bytes)))
        throw new Misconfigured(
          `The database has another master key with the id ${id}. Nothing was replaced.`,
        );
      if (!isNew) await markSaved([id]);
      return isNew;
    },
    markSaved,
    async renew() {
      for (const row of await rows()) {
        const sealed = await server.seal(row.id, await server.open(row.id, row.sealed));
        await open({ ...row, sealed });
        await db
          .updateTable('master_key')
          .set({ sealed })
          .where('id', '=', row.id)
          .where('sealed', '=', row.sealed)
          .execute();
      }
    },
  };
}

/** Recognises a key, and reveals nothing of it: a server that opens another key would make credentials unreadable. */
const fingerprintOf = (bytes: Buffer): Buffer =>
  createHmac('sha256', bytes).update('lockstep-master-key').digest();
