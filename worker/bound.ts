import { randomBytes } from 'node:crypto';
import type { Dependencies } from '../activities/dependencies';
import { environment } from '../config';
import { openConnectors } from '../connectors/open';
import { accountRulesOf } from '../connectors/registry';
import { log } from '../log';
import { startOps } from '../ops';
import { fileError, portError } from '../start-errors';
import { endRemovedSeries } from '../store/configuration/removed-sources';
import { watchConfiguration } from '../store/configuration/watch';
import { openDatabase } from '../store/database';
import { migrate } from '../store/migrate';
import { removePresence } from '../store/presence';
import { retryUntilReachable } from '../store/until-reachable';
import { openEpochFolder } from '../store/worker/keys/epoch-folder';
import { exportSpans } from '../telemetry/export-spans';
import { openMailboxes } from './adapters/mailbox';
import { startBoundSide } from './changes/engine';
import type { EngineLogin } from './changes/engine-login';
import { startJobs } from './jobs/jobs';

/** What every worker needs. */
export interface WorkerPlaces {
  readonly databaseUrl: string;
  readonly keyDir: string;
  readonly temporalAddress: string;
  readonly login: EngineLogin;
}

/**
 * Runs a worker that is bound to sources until `stopping` is aborted: it writes their accounts and does their jobs. It runs
 * no workflow, and has no key but those that open the passwords of changes.
 */
export async function runBoundWorker(
  boundTo: readonly string[],
  { databaseUrl, keyDir, temporalAddress, login }: WorkerPlaces,
  stopping: AbortSignal,
): Promise<void> {
  const traces = exportSpans(environment.LOCKSTEP_TRACES_URL, 'lockstep-worker');
  const { DATABASE_DIRECT_URL = databaseUrl } = environment;
  const isPooled = DATABASE_DIRECT_URL !== databaseUrl;
  const database = openDatabase(databaseUrl, 'lockstep bound worker', 20, isPooled);
  const { db } = database;
  let missing = (): readonly string[] => ['database'];
  const ops = await startWorkerOps(
    () => missing(),
    () => endRemovedSeries(db),
  );
  const keys = openKeys(keyDir);
  await retryUntilReachable(databaseUrl, stopping, () => migrate(db, accountRulesOf));
  const mailboxes = await openMailboxes(db, DATABASE_DIRECT_URL);
  const connectors = openConnectors(environment, mailboxes.of);
  const deps: Dependencies = {
    db,
    keys,
    configuration: watchConfiguration(db),
    connector: connectors.of,
    accountRules: accountRulesOf,
    random: Math.random,
    boundTo,
  };
  const workerId = `worker-${randomBytes(6).toString('hex')}`;
  const jobs = await startJobs(deps, null, DATABASE_DIRECT_URL);
  const { servers } = connectors;
  const reaching = { address: temporalAddress, namespace: environment.TEMPORAL_NAMESPACE, login };
  const engineSide = startBoundSide(deps, { ...reaching, workerId, servers }, stopping);
  missing = engineSide.missing;
  log.info('the worker is up, bound to sources', {
    address: ops.address,
    source: boundTo.join(', '),
  });

  await engineSide.ended;
  await Promise.all([jobs.stop(), mailboxes.stop()]);
  await removePresence(db, workerId).catch(() => {});
  await connectors.close();
  await traces.stop();
  await ops.close();
  await database.close();
}

function openKeys(keyDir: string) {
  try {
    return openEpochFolder(keyDir);
  } catch (error) {
    throw fileError('LOCKSTEP_KEY_DIR', keyDir, error);
  }
}

/** Opens the health port of a worker. */
export async function startWorkerOps(
  missing: () => readonly string[],
  beforeScrape: () => Promise<void>,
) {
  const opsAt = { host: environment.LOCKSTEP_OPS_HOST, port: environment.LOCKSTEP_WORKER_OPS_PORT };
  return startOps({ ...opsAt, ready: async () => missing(), beforeScrape }).catch((error) => {
    throw portError('LOCKSTEP_WORKER_OPS_PORT', opsAt, error);
  });
}
