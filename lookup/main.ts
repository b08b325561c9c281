import '../uncaught';
import { once } from 'node:events';
import { listeningOn, startServer } from '../api/http/server';
import { environment, Misconfigured, refuseDebugOutput } from '../config';
import { live } from '../lifetime';
import { log } from '../log';
import { startOps } from '../ops';
import { portError } from '../start-errors';
import { faultOfRole, type RoleFault } from '../store/lookup';
import { retryUntilReachable } from '../store/until-reachable';
import { openMasterKeys } from '../store/worker/keys/open';
import { createLookupApp } from './app';
import { openLookup, openLookupDatabase } from './dependencies';
import { lookupKeys, type MasterKeys } from './master-keys';

/** The process that returns stored credentials. It reads master keys, and makes none. */
async function main(stopping: AbortSignal): Promise<void> {
  refuseDebugOutput();
  const url = required('LOCKSTEP_LOOKUP_DATABASE_URL');
  const keyDir = required('LOCKSTEP_KEY_DIR');
  const listening = listeningOn(
    environment.LOCKSTEP_LOOKUP_HOST,
    environment.LOCKSTEP_LOOKUP_PORT,
    environment.LOCKSTEP_LOOKUP_TLS_CERT_FILE,
    environment.LOCKSTEP_LOOKUP_TLS_KEY_FILE,
    { cert: 'LOCKSTEP_LOOKUP_TLS_CERT_FILE', key: 'LOCKSTEP_LOOKUP_TLS_KEY_FILE' },
  );
  const database = openLookupDatabase(url, 'lockstep lookup');
  const keys = lookupKeys(openMasterKeys(environment, keyDir, database.db));
  // Once it has started, the service is ready also while the database is unavailable: it answers from memory then.
  let missing: readonly string[] = ['database'];
  const opsAt = { host: environment.LOCKSTEP_OPS_HOST, port: environment.LOCKSTEP_LOOKUP_OPS_PORT };
  const ready = async () => [...missing, ...(await missingKeys(keys))];
  const ops = await startOps({ ...opsAt, ready }).catch((error) => {
    throw portError('LOCKSTEP_LOOKUP_OPS_PORT', opsAt, error);
  });
  const fault = await retryUntilReachable(url, stopping, () => faultOfRole(database.db));
  if (fault !== null) throw new Misconfigured(faults[fault]);
  const deps = openLookup(database.db, keys);
  const server = await startServer(createLookupApp(deps), listening, 'LOCKSTEP_LOOKUP_PORT');
  missing = [];
  log.info('the lookup service accepts requests', { address: server.url });
  if (!stopping.aborted) await once(stopping, 'abort');
  await server.stop();
  await deps.close();
  await ops.close();
  await database.close();
}

const faults: Readonly<Record<RoleFault, string>> = {
  reads_tables:
    'The role of LOCKSTEP_LOOKUP_DATABASE_URL can read tables of Lockstep. Create one for the lookup service, see docs/lookup.md.',
  reads_no_views:
    'The role of LOCKSTEP_LOOKUP_DATABASE_URL cannot read the views of the schema "lookup". Start the api of this release, then grant them to the role, see docs/lookup.md.',
};

function required(name: 'LOCKSTEP_LOOKUP_DATABASE_URL' | 'LOCKSTEP_KEY_DIR'): string {
  const value = environment[name] ?? '';
  if (value === '') throw new Misconfigured(`Set ${name}`);
  return value;
}

const missingKeys = (keys: MasterKeys): Promise<readonly string[]> =>
  keys.currentMasterKey().then(
    () => [],
    () => ['keys'],
  );

void live('the lookup service', main);
