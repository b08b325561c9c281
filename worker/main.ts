import { randomBytes } from 'node:crypto';
import path from 'node:path';
import type { Dependencies } from '../activities/dependencies';
import { environment, Misconfigured, refuseDebugOutput } from '../config';
import { openConnectors } from '../connectors/open';
import { live } from '../lifetime';
import { log } from '../log';
import { startOps } from '../ops';
import { watchConfiguration } from '../store/configuration-watch';
import { openDatabase } from '../store/database';
import { ensureEpoch } from '../store/epochs';
import { openKeyDirectory } from '../store/keys/key-directory';
import { migrate } from '../store/migrate';
import { sayGone } from '../store/presence';
import { untilThere } from '../store/until-there';
import { startEngineSide } from './engine-side';
import { startErrands } from './errands';
import { startJanitor } from './janitor';
import { registerWorkerMetrics } from './metrics';
import { installRuntime } from './temporal';

/** The process that holds the private keys and talks to sources and engine. Add more of them to do more at once. */
async function main(stopping: AbortSignal): Promise<void> {
  refuseDebugOutput();
  const { DATABASE_URL, LOCKSTEP_KEY_DIR, TEMPORAL_ADDRESS } = environment;
  if (DATABASE_URL === undefined) throw new Misconfigured('Set DATABASE_URL');
  if (LOCKSTEP_KEY_DIR === undefined) throw new Misconfigured('Set LOCKSTEP_KEY_DIR');
  if (TEMPORAL_ADDRESS === undefined) throw new Misconfigured('Set TEMPORAL_ADDRESS');
  installRuntime();

  const database = openDatabase(DATABASE_URL, 'lockstep worker', 20);
  const { db } = database;
  await untilThere('the database', stopping, () => migrate(db));
  const keys = await openKeyDirectory(LOCKSTEP_KEY_DIR);
  // Before the engine is there: the api can seal, and so accept, as soon as there is an epoch.
  await ensureEpoch(db, keys, environment.LOCKSTEP_EPOCH_HOURS);

  const connectors = openConnectors();
  const deps: Dependencies = {
    db,
    keys,
    configuration: watchConfiguration(db),
    connector: connectors.of,
    random: Math.random,
  };
  const workerId = `worker-${randomBytes(6).toString('hex')}`;
  registerWorkerMetrics(db);
  const janitor = startJanitor(db, keys, environment.LOCKSTEP_EPOCH_HOURS);
  const errands = await startErrands(deps, DATABASE_URL);
  const engineSide = startEngineSide(
    deps,
    {
      address: TEMPORAL_ADDRESS,
      namespace: environment.TEMPORAL_NAMESPACE,
      databaseUrl: DATABASE_URL,
      workerId,
      workflows: workflowCode(),
      linkTo,
    },
    stopping,
  );
  const ops = await startOps(environment.LOCKSTEP_WORKER_OPS_PORT, async () =>
    engineSide.missing(),
  );
  log.info('the worker is up', { address: `127.0.0.1:${ops.port}` });

  await engineSide.ended;
  await Promise.all([errands.stop(), ...janitor.map((loop) => loop.stop())]);
  await sayGone(db, workerId).catch(() => {});
  await connectors.close();
  await ops.close();
  await database.close();
}

/** Bundled when Lockstep was built. */
const workflowCode = () => ({
  workflowBundle: { codePath: path.join(__dirname, '..', 'workflow-bundle.js') },
});

function linkTo(changeId: string): string {
  const { LOCKSTEP_API_PUBLIC_URL, LOCKSTEP_API_PORT } = environment;
  return `${LOCKSTEP_API_PUBLIC_URL ?? `http://127.0.0.1:${LOCKSTEP_API_PORT}`}/changes/${changeId}`;
}

void live('the worker', main);
