import type { KeyObject } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { IntakeDependencies, IntakeSettings } from '../../intake/dependencies';
import { watchEpochs } from '../../intake/epochs';
import { openPolicyChecker } from '../../intake/policy/check-policy';
import { type ChangeProgress, progressIn, readProgress } from '../../store/changes/progress';
import { watchConfiguration } from '../../store/configuration/watch';
import type { Database } from '../../store/database';
import { channels, listen } from '../../store/notifications';
import { type Standstill, standstill } from '../../store/presence';
import { type JobView, readJob } from '../../store/sources/jobs';
import { type Authorize, authorizeWith } from './authorize';
import { createHub, type Hub } from './hub';

/** The services and settings that the routes use. */
export interface Dependencies extends IntakeDependencies {
  readonly authorize: Authorize;
  /** What keeps changes from proceeding, at most two seconds old. */
  readonly standstill: () => Promise<Standstill>;
  readonly changes: Hub<ChangeProgress>;
  readonly jobs: Hub<JobView>;
  readonly settings: Settings;
  /** Fires when the API stops. Requests that wait are then answered at once. */
  readonly stopping: AbortSignal;
}

export interface Settings extends IntakeSettings {
  /** The public key that verifies the sealing keys of workers. Null until a worker has written its file. */
  readonly signer: () => KeyObject | null;
  /** The prefix of every link, without a trailing slash. Empty for links without a host. */
  readonly publicUrl: string;
  /** The URL of the Temporal Web UI up to the namespace; null if it is not configured. */
  readonly temporalUrl: string | null;
}

const STANDSTILL_MAX_AGE_MS = 2_000;

export async function openDependencies(
  db: Database,
  databaseUrl: string,
  settings: Settings,
  stopping: AbortSignal,
): Promise<Dependencies & { close(): Promise<void> }> {
  // Each waiting request adds a listener, so Node's warning about many listeners does not apply.
  setMaxListeners(0, stopping);
  const changes = createHub((ids) => readProgress(db, ids));
  const jobs = createHub((ids) => readJobs(db, ids));
  const policyChecker = openPolicyChecker();
  const listener = await listen(
    databaseUrl,
    [channels.progress, channels.job],
    (channel, payload) => {
      if (channel === channels.job) return jobs.notify(payload);
      if (payload === null) return changes.notify(null);
      const { id, ...progress } = progressIn(payload);
      changes.publish(id, progress);
    },
  );
  return {
    db,
    authorize: authorizeWith(db),
    configuration: watchConfiguration(db),
    keyToSealTo: watchEpochs(db, settings.signer),
    policyChecker,
    standstill: cached(STANDSTILL_MAX_AGE_MS, () => standstill(db)),
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

/** A function that calls `read` at most once per `maxAgeMs` and returns the cached value in between. */
function cached<T>(maxAgeMs: number, read: () => Promise<T>): () => Promise<T> {
  let latest: { readonly value: T; readonly until: number } | null = null;
  return async () => {
    if (latest === null || performance.now() > latest.until)
      latest = { value: await read(), until: performance.now() + maxAgeMs };
    return latest.value;
  };
}
