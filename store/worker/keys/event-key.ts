import { createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { CompactSign, calculateJwkThumbprint } from 'jose';
import { type EventJwk, signedEventKey } from '../../../sealing/event-key';
import type { Database } from '../../database';
import { privateKeyIn, writeKey } from './key-files';
import type { KeyStore } from './key-store';

/** The interoperability profile of CAEP requires RS256 with a key of 2048 bits or more (CAEP Interop 1.0 §2.6). */
const ALGORITHM = 'RS256';
const BITS = 2048;

/** The key with which a worker signs security events. Its private half is a file of the worker. */
export interface EventKey {
  /** Makes the key if there is none, and publishes its public half in the database, from which the api serves it. */
  publish(): Promise<void>;
  /** Signs the claims of a security event token (RFC 8417 §2.3). @returns a compact JWS */
  sign(claims: Readonly<Record<string, unknown>>): Promise<string>;
}

interface Opened {
  readonly id: string;
  readonly key: KeyObject;
}

/** @param dir the key folder of the worker; the key is its file `events.json`, made at the first use */
export function openEventKey(dir: string, db: Database, keys: KeyStore): EventKey {
  let opened: Promise<Opened> | null = null;
  const open = (): Promise<Opened> => {
    opened ??= openIn(dir, db, keys).catch((error: unknown) => {
      opened = null;
      throw error;
    });
    return opened;
  };
  return {
    publish: async () => void (await open()),
    async sign(claims) {
      const { id, key } = await open();
      return new CompactSign(Buffer.from(JSON.stringify(claims)))
        .setProtectedHeader({ alg: ALGORITHM, typ: 'secevent+jwt', kid: id })
        .sign(key);
    },
  };
}

async function openIn(dir: string, db: Database, keys: KeyStore): Promise<Opened> {
  const file = path.join(dir, 'events.json');
  if (!existsSync(file)) {
    const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: BITS });
    await writeKey(file, JSON.stringify(privateKey.export({ format: 'jwk' })));
  }
  // Another worker may have been first, so the file is read in any case.
  const key = privateKeyIn(file);
  const publicKey = createPublicKey(key).export({ format: 'jwk' }) as unknown as EventJwk;
  const id = await calculateJwkThumbprint({ ...publicKey });
  const signature = await keys.sign(signedEventKey({ id, publicKey }));
  await db
    .insertInto('event_key')
    .values({ id, public_key: JSON.stringify(publicKey), signature })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ signature }))
    .execute();
  return { id, key };
}
