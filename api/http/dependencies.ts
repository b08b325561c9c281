import type { KeyObject } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { IntakeDependencies, IntakeSettings } from '../../intake/dependencies';
import { watchEpochs } from '../../intake/epochs';
import { openPolicyChecker } from '../../intake/policy/check-policy';
import { type ChangeProgress, readProgress } from '../../store/changes/progress';
import { watchConfiguration } from '../../store/configuration/watch';
import type { Database } from '../../store/database';
import { channels, listen } from '../../store/notifications';
import { type Standstill, standstill } from '../../store/presence';
import { type JobView, readJob } from '../../store/sources/jobs';
import { type Authorize, authorizeWith } from './authorize';
import { createHub, type Hub } from './hub';

/** What the routes need of the world. */
export interface Dependencies extends IntakeDependencies {
  readonly authorize: Authorize;
  readonly standstill: () => Promise<Standstill>;
  readonly changes: Hub<ChangeProgress>;
  readonly jobs: Hub<JobView>;
  readonly settings: Settings;
  /** Whoever waits is answered at once when it fires. */
  readonly stopping: AbortSignal;
}

export interface Settings extends IntakeSettings {
  /** Null until the worker has written it. */
  readonly signer: () => KeyObject | null;
  /** Before the path of every link; empty for links without a host. */
  readonly publicUrl: string;
  /** Of the Web UI, up to the namespace. */
  readonly temporalUrl: string | null;
}

const STANDSTILL_KEPT_MS = 2_000;

export async function openDependencies(
  db: Database,
  databaseUrl: string,
  settings: Settings,
  stopping: AbortSignal,
): Promise<Dependencies & { close(): Promise<void> }> {
  // Everybody who waits listens to it.
  setMaxListeners(0, stopping);
  const changes = createHub((ids) => readProgress(db, ids));
  const jobs = createHub((ids) => readJobs(db, ids));
  const policyChecker = openPolicyChecker();
  const listener = await listen(databaseUrl, [channels.progress, channels.job], (channel, id) =>
    (channel === channels.progress ? changes : jobs).notify(id),
  );
  return {
    db,
    authorize: authorizeWith(db),
    configuration: watchConfiguration(db),
    keyToSealTo: watchEpochs(db, settings.signer),
    policyChecker,
    standstill: kept(STANDSTILL_KEPT_MS, () => standstill(db)),
    changes,
    jobs,
    settings,
    stopping,
    async close() {
      changes.close();
      jobs.close();
      await listener.close();
      await policyChecker.close();
    },
  };
}

async function readJobs(
  db: Database,
  ids: readonly string[],
): Promise<ReadonlyMap<string, JobView>> {
  const jobs = await Promise.all(ids.map((id) => readJob(db, id)));
  return new Map(jobs.flatMap((job) => (job === null ? [] : [[job.id, job]])));
}

/** What `read` gave, for so long. */
function kept<T>(keptMs: number, read: () => Promise<T>): () => Promise<T> {
  let known: { readonly value: T; readonly until: number } | null = null;
  return async () => {
    if (known === null || performance.now() > known.until)
      known = { value: await read(), until: performance.now() + keptMs };
    return known.value;
  };
}
