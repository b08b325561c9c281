import { createHash } from 'node:crypto';
import type { Configuration } from '../model/configuration/document';
import type { Person } from '../model/people/correlation';
import { type Caller, callerOf } from '../store/api-keys';
import { watchConfiguration } from '../store/configuration/watch';
import { type Database, type OpenDatabase, openDatabase } from '../store/database';
import { readCredentials, readPerson, type StoredCredential } from '../store/lookup';
import { type Auditor, createAuditor } from './audit';
import type { MasterKeys } from './master-keys';
import { createMemory, type Read } from './remember';

/** The parts of the configuration that the lookup service can read. */
export type LookupConfiguration = Pick<Configuration, 'applications' | 'peopleGroups' | 'sso'>;

/** What the routes of the lookup service use. */
export interface LookupDependencies {
  readonly db: Database;
  readonly keys: MasterKeys;
  readonly audit: Auditor;
  /** Each of these reads the database, and uses its memory only while that is unavailable. */
  readonly reads: Reads;
  close(): Promise<void>;
}

export interface Reads {
  caller(presented: string): Promise<Caller | null>;
  configuration(): Promise<LookupConfiguration>;
  person(id: string): Promise<Person | null>;
  /** @param mayKeep whether the sealed credentials may stay in memory */
  credentials(
    application: string,
    identity: string,
    mayKeep: boolean,
  ): Promise<Read<StoredCredential[]>>;
}

const MINUTE_MS = 60_000;

/**
 * A database that hangs is away, too: a client gives up long before the system reports such a connection as lost. No
 * statement of the service reads more than a few rows.
 */
const DATABASE_ANSWERS_WITHIN_MS = 3_000;

/** Opens the database as the lookup service uses it. */
export const openLookupDatabase = (
  url: string,
  name: string,
  answersWithinMs = DATABASE_ANSWERS_WITHIN_MS,
): OpenDatabase => openDatabase(url, name, 10, false, answersWithinMs);

export function openLookup(db: Database, keys: MasterKeys): LookupDependencies {
  const audit = createAuditor(db);
  return { db, keys, audit, reads: createReads(db), close: () => audit.close() };
}

function createReads(db: Database): Reads {
  const memory = createMemory();
  const inForce = watchConfiguration(db);
  let maxAgeMs = 60 * MINUTE_MS;
  return {
    async caller(presented) {
      // The memory holds no API key, only its hash, as the database does.
      const hash = createHash('sha256').update(presented).digest('base64');
      return (await memory.read(`key ${hash}`, maxAgeMs, () => callerOf(db, presented))).value;
    },
    async configuration() {
      const { configuration } = (await memory.read('configuration', maxAgeMs, inForce)).value;
      maxAgeMs = configuration.sso.credentialCacheMinutes * MINUTE_MS;
      return configuration;
    },
    person: async (id) =>
      (await memory.read(`person ${id}`, maxAgeMs, () => readPerson(db, id))).value,
    credentials: (application, identity, mayKeep) =>
      memory.read(JSON.stringify([application, identity]), mayKeep ? maxAgeMs : 0, () =>
        readCredentials(db, application, identity),
      ),
  };
}
