import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { environment } from '../config';
import { type SupervisedProcess, superviseNode } from './node-process';
import type { Store } from './open-store';
import { freePort, onPort } from './ports';
import { clientOf } from './postgres';

/** The lookup service on this machine. */
export interface LocalLookup {
  readonly url: string;
  readonly opsUrl: string;
  readonly process: SupervisedProcess;
}

interface LookupFiles {
  readonly keys: string;
  readonly lookupLog: string;
  readonly lookupPassword: string;
}

const LOOKUP_PORT = 8444;

/**
 * Starts the lookup service on a database that has the schema of Lockstep.
 * @returns null for a server that we did not start, unless `LOCKSTEP_LOOKUP_DATABASE_URL` names a role there
 */
export async function openLookup(files: LookupFiles, store: Store): Promise<LocalLookup | null> {
  const databaseUrl =
    store.server === null
      ? environment.LOCKSTEP_LOOKUP_DATABASE_URL
      : await makeLookupRole(store.url, files.lookupPassword);
  if (databaseUrl === undefined) return null;
  return onPort(LOOKUP_PORT, async (port) => {
    const opsPort = await freePort();
    const opsUrl = `http://127.0.0.1:${opsPort}`;
    const process = await superviseNode({
      name: 'the lookup service',
      entry: 'lookup/main.js',
      env: {
        LOCKSTEP_LOOKUP_DATABASE_URL: databaseUrl,
        LOCKSTEP_KEY_DIR: files.keys,
        LOCKSTEP_LOG_LEVEL: environment.LOCKSTEP_LOG_LEVEL,
        LOCKSTEP_LOOKUP_PORT: String(port),
        LOCKSTEP_LOOKUP_OPS_PORT: String(opsPort),
      },
      logFile: files.lookupLog,
      ports: [port, opsPort],
      readyUrl: `${opsUrl}/readyz`,
    });
    return { url: `http://127.0.0.1:${port}`, opsUrl, process };
  });
}

const ROLE = 'lockstep_lookup';

/**
 * Makes the role of the lookup service in a database that has the schema of Lockstep.
 * @param url a URL of the database for its superuser
 * @param passwordFile keeps the password of the role
 * @returns a URL of the database for the role
 */
export async function makeLookupRole(url: string, passwordFile: string): Promise<string> {
  if (!existsSync(passwordFile))
    writeFileSync(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
  const password = readFileSync(passwordFile, 'utf8');
  const client = clientOf({ connectionString: url });
  await client.connect();
  try {
    const { rowCount } = await client.query('select from pg_roles where rolname = $1', [ROLE]);
    await client.query(
      `${rowCount === 0 ? 'create' : 'alter'} role ${ROLE} login password ${client.escapeLiteral(password)}`,
    );
    await client.query('select lookup.grant_to($1)', [ROLE]);
  } finally {
    await client.end();
  }
  const own = new URL(url);
  own.username = ROLE;
  own.password = password;
  return own.href;
}
