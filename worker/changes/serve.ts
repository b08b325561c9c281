import type { Client } from '@temporalio/client';
import type { WorkerOptions } from '@temporalio/worker';
import { type NativeConnection, Worker } from '@temporalio/worker';
import { createActivities } from '../../activities';
import type { Dependencies } from '../../activities/dependencies';
import { createNoticeActivities } from '../../activities/notices';
import type { NoticeChannels } from '../../connectors/notices/open';
import { log } from '../../log';
import { asks } from '../../model/configuration/isolation';
import { retryOverdue } from '../../store/changes/commands';
import { type Channel, channels, listen } from '../../store/notifications';
import { handOutCommands, sendProbes } from '../../store/sources/commands';
import { readNeededSources } from '../../store/worker/unattended';
import { CHANGES_QUEUE } from '../../workflows/names';
import { type Loop, startLoop } from '../loop';
import { countAttempt } from '../notices/counter';
import { startNotices } from '../notices/notices';
import { deliverCommands } from './commands';
import { startChanges } from './dispatcher';
import type { EngineLogin } from './engine-login';
import { LeanWorker } from './lean-worker';
import { giveTurns, keepPauses } from './pauses';
import { type SourceQueues, startSourceQueues } from './source-queues';

export interface EngineSettings {
  /** host:port of the Temporal frontend. */
  readonly address: string;
  readonly namespace: string;
  readonly login: EngineLogin;
  /** Database URL of the connection that listens for notifications. */
  readonly databaseUrl: string;
  readonly workerId: string;
  readonly workflows: Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath'>;
  /**
   * Number of workflows that are kept in memory between their tasks. With 0 every task replays its history, on any
   * worker.
   */
  readonly cachedWorkflows?: number;
  /** Lets the SDK keep the stacks of workflows and cut off a workflow that computes for five seconds. */
  readonly workflowDiagnostics?: boolean;
  /** Sends notices. */
  readonly notices: Pick<NoticeChannels, 'send'>;
  /** The server that each source uses now, where it may have several. */
  readonly servers?: () => Readonly<Record<string, string>>;
  /** URL of the page of a change. */
  readonly linkTo: (changeId: string) => Promise<string>;
}

/**
 * Carries changes out until `stopping` is aborted: it runs workflows, their activities, the task queues of the
 * sources and the dispatcher.
 */
export async function serveChanges(
  deps: Dependencies,
  settings: EngineSettings,
  connection: NativeConnection,
  client: Client,
  stopping: AbortSignal,
): Promise<void> {
  const { namespace } = settings;
  const activities = createActivities(deps);
  const worker = await (settings.workflowDiagnostics ? Worker : LeanWorker).create({
    connection,
    namespace,
    taskQueue: CHANGES_QUEUE,
    activities: {
      ...activities,
      ...createNoticeActivities({
        db: deps.db,
        configuration: () => deps.configuration(Number.POSITIVE_INFINITY),
        channels: settings.notices,
        count: countAttempt,
      }),
    },
    ...settings.workflows,
    // A start is eager only while a slot is free. Eager starts overtake the tasks that wait in the queue.
    maxConcurrentWorkflowTaskExecutions: 100,
    maxConcurrentLocalActivityExecutions: 100,
    maxCachedWorkflows: settings.cachedWorkflows ?? 200,
    shutdownGraceTime: '20s',
    shutdownForceTime: '30s',
  });
  const stopNow = () => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  const queues = startSourceQueues(connection, namespace, activities, (error) => {
    log.error('the task queue of a source cannot be served; the worker stops', { error });
    stopNow();
  });
  const running = worker.run();
  stopping.addEventListener('abort', stopNow);
  if (stopping.aborted) stopNow();

  const dispatcher = startLoop({ name: 'dispatcher', everyMs: 2_000, atOnce: 4 }, () =>
    startChanges({
      db: deps.db,
      client,
      linkTo: settings.linkTo,
      close: (id) => activities.closeChange(id, 'cancelled'),
    }),
  );
  // One run at a time, because two would read the same commands.
  const commands = startLoop({ name: 'commands', everyMs: 2_000 }, () =>
    deliverCommands({ db: deps.db, client }),
  );
  const notices = startNotices({
    db: deps.db,
    client,
    configuration: () => deps.configuration(Number.POSITIVE_INFINITY),
  });
  const sources = watchSources(deps, queues);
  const waiting = startLoop({ name: 'accounts waiting on sources', everyMs: 1_000 }, async () => {
    await sendProbes(deps.db);
    const overdue = await retryOverdue(deps.db);
    return (await handOutCommands(deps.db)) || overdue;
  });
  const pauses = startLoop({ name: 'pauses and turns of sources', everyMs: 1_000 }, async () => {
    await keepPauses(deps);
    await giveTurns(deps);
    return false;
  });
  const woken = new Map<Channel, Loop>([
    [channels.accepted, dispatcher],
    [channels.commanded, commands],
    [channels.configuration, sources],
  ]);
  const listener = await listen(settings.databaseUrl, [...woken.keys()], (channel) =>
    woken.get(channel)?.wake(),
  );
  log.info('connected to the engine; changes are carried out', { address: settings.address });
  try {
    await running;
  } finally {
    await listener.close();
    await Promise.all(
      [dispatcher, commands, sources, waiting, pauses, notices].map((loop) => loop.stop()),
    );
    await queues.stop();
  }
}

const watchSources = (deps: Dependencies, queues: SourceQueues): Loop =>
  startLoop({ name: 'source queues', everyMs: 30_000 }, async () => {
    const { configuration } = await deps.configuration(Number.POSITIVE_INFINITY);
    const needed = await readNeededSources(deps.db);
    const known = new Set([...Object.keys(configuration.sources), ...needed]);
    const { sources } = configuration;
    await queues.serve([...known].filter((name) => asks(deps.boundTo, name, sources[name])));
    return false;
  });
