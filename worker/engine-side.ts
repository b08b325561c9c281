import { existsSync } from 'node:fs';
import path from 'node:path';
import { Client } from '@temporalio/client';
import { type NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { createActivities } from '../activities';
import type { Dependencies } from '../activities/dependencies';
import { environment } from '../config';
import { log } from '../log';
import { channels, listen } from '../store/notifications';
import { SAY_EVERY_MS, sayPresent } from '../store/presence';
import { CHANGES_QUEUE } from '../workflows/names';
import { dispatch } from './dispatcher';
import { type Loop, startLoop } from './loop';
import { type SourceQueues, startSourceQueues } from './source-queues';
import { connectEngine } from './temporal';

export interface EngineSide {
  /** What is missing before changes are carried out. */
  readonly missing: () => Promise<readonly string[]>;
  /** Resolves when everything here has stopped; rejects when the engine made going on impossible. */
  readonly ended: Promise<void>;
}

/** Everything of the worker that needs the engine. It waits for the engine as long as it takes. */
export function startEngineSide(
  deps: Dependencies,
  databaseUrl: string,
  address: string,
  workerId: string,
  stopping: AbortSignal,
): EngineSide {
  let reachable = false;
  const run = async (): Promise<void> => {
    let client: Client | null = null;
    const presence = startLoop({ name: 'presence', everyMs: SAY_EVERY_MS }, async () => {
      reachable = client === null ? false : await isReachable(client);
      await sayPresent(deps.db, workerId, reachable);
      return false;
    });
    const connection = await connectEngine(address, stopping);
    if (connection !== null) {
      client = new Client({ connection, namespace: environment.TEMPORAL_NAMESPACE });
      presence.wake();
      await serve(deps, databaseUrl, connection, client, stopping);
      await connection.close();
    }
    await presence.stop();
  };
  return {
    missing: async () => (reachable ? [] : ['engine']),
    ended: run(),
  };
}

async function serve(
  deps: Dependencies,
  databaseUrl: string,
  connection: NativeConnection,
  client: Client,
  stopping: AbortSignal,
): Promise<void> {
  const namespace = environment.TEMPORAL_NAMESPACE;
  const activities = createActivities(deps);
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue: CHANGES_QUEUE,
    activities,
    ...workflowCode(),
    maxConcurrentLocalActivityExecutions: 100,
    maxCachedWorkflows: 200,
    shutdownGraceTime: '20s',
    shutdownForceTime: '30s',
  });
  const stopNow = () => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  const queues = startSourceQueues(connection, namespace, activities, (error) => {
    log.error('the queue of a source cannot be served', { error });
    stopNow();
  });
  const running = worker.run();
  stopping.addEventListener('abort', stopNow);
  if (stopping.aborted) stopNow();

  const dispatcher = startLoop({ name: 'dispatcher', everyMs: 2_000, atOnce: 4 }, () =>
    dispatch({
      db: deps.db,
      client,
      linkTo,
      close: (id) => activities.closeChange(id, 'cancelled'),
    }),
  );
  const sources = watchSources(deps, queues);
  const listener = await listen(
    databaseUrl,
    [channels.accepted, channels.configuration],
    (channel) => (channel === channels.accepted ? dispatcher : sources).wake(),
  );
  log.info('changes are carried out', { address: environment.TEMPORAL_ADDRESS ?? '' });
  try {
    await running;
  } finally {
    await listener.close();
    await Promise.all([dispatcher.stop(), sources.stop()]);
    await queues.stop();
  }
}

const watchSources = (deps: Dependencies, queues: SourceQueues): Loop =>
  startLoop({ name: 'source queues', everyMs: 30_000 }, async () => {
    const { configuration } = await deps.configuration(Number.POSITIVE_INFINITY);
    await queues.serve(Object.keys(configuration.sources));
    return false;
  });

/** Bundled when Lockstep was built; from the sources otherwise, which takes seconds. */
function workflowCode(): Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath'> {
  const bundle = path.join(__dirname, '..', 'workflow-bundle.js');
  return existsSync(bundle)
    ? { workflowBundle: { codePath: bundle } }
    : { workflowsPath: require.resolve('../workflows') };
}

const linkTo = (changeId: string): string => {
  const { LOCKSTEP_API_PUBLIC_URL, LOCKSTEP_API_PORT } = environment;
  return `${LOCKSTEP_API_PUBLIC_URL ?? `http://127.0.0.1:${LOCKSTEP_API_PORT}`}/changes/${changeId}`;
};

async function isReachable(client: Client): Promise<boolean> {
  try {
    await client.connection.withDeadline(Date.now() + 2_000, () =>
      client.workflowService.getSystemInfo({}),
    );
    return true;
  } catch {
    return false;
  }
}
