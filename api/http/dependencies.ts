import type { KeyObject } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { IntakeDependencies, IntakeSettings } from '../../intake/dependencies';
import { watchEpochs } from '../../intake/epochs';
import { openPolicyChecker } from '../../intake/policy/check-policy';
import { readDue } from '../../store/adapters/messages';
import { readAcceptedSecrets } from '../../store/api-keys';
import { newestPosition } from '../../store/audit-records';
import { type ChangeProgress, progressIn, readProgress } from '../../store/changes/progress';
import { type ChangeView, readChange } from '../../store/changes/read';
import { watchConfiguration } from '../../store/configuration/watch';
import type { Database } from '../../store/database';
import { channels, listen } from '../../store/notifications';
import { type Standstill, standstill } from '../../store/presence';
import { readOpenSessions } from '../../store/sessions';
import { type JobView, readJob } from '../../store/sources/jobs';
import { type AdapterSessions, openAdapterSessions } from '../adapters/sessions';
import type { Provider } from '../console/sign-in/provider';
import { type Authorize, authorizeWith } from './authorize';
import { createHub, type Hub } from './hub';
import { countStreams, type Streams, sharedRead } from './streams';

/** The services and settings that the routes use. */
export interface Dependencies extends IntakeDependencies {
  readonly authorize: Authorize;
  /** What keeps changes from proceeding, at most two seconds old. */
  readonly standstill: () => Promise<Standstill>;
  readonly changes: Hub<ChangeProgress>;
  readonly jobs: Hub<JobView>;
  /** The newest position of the audit chain, under the id `audit`. */
  readonly audit: Hub<{ readonly position: number }>;
  /** The secrets that each API key accepts; a stream ends when the one that opened it is not accepted any more. */
  readonly keys: Hub<readonly string[]>;
  /** Whether a session of the console is open, by its id; a stream ends with the session that opened it. */
  readonly sessions: Hub<{ readonly isOpen: boolean }>;
  /** Whether a message may be delivered to the adapter of a source, by the source. */
  readonly adapters: Hub<{ readonly due: boolean }>;
  readonly adapterSessions: AdapterSessions;
  readonly streams: Streams;
  /** Reads a change for all streams that follow it. */
  readonly readFollowed: (id: string) => Promise<ChangeView | null>;
  readonly settings: Settings;
  /** Fires when the API stops. Requests that wait are then answered at once. */
  readonly stopping: AbortSignal;
}

export interface Settings extends IntakeSettings {
  /** The public key that verifies the sealing keys of workers. Null until a worker has written its file. */
  readonly signer: () => KeyObject | null;
  /** The API key of the pages for people; null if the console has none. */
  readonly consoleKey: string | null;
  /** The identity provider; null if people and staff do not sign in at one. */
  readonly provider: Provider | null;
  /** A sign-in counts as recent for this long. */
  readonly recentSignInMs: number;
  /** A one-time link is valid for this long. */
  readonly oneTimeLinkMs: number;
  /** The prefix of every link, without a trailing slash. Empty for links without a host. */
  readonly publicUrl: string;
  /** The URL of the Temporal Web UI up to the namespace; null if it is not configured. */
  readonly temporalUrl: string | null;
}

const STANDSTILL_MAX_AGE_MS = 2_000;
const EXPIRY_CHECK_MS = 2_000;
const LEASE_CHECK_MS = 1_000;

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
  const audit = createHub(async (ids) => {
    const position = await newestPosition(db);
    return new Map(ids.map((id) => [id, { position }]));
  });
  const keys = createHub((ids) => readAcceptedSecrets(db, ids));
  const adapters = createHub((sources) => readDue(db, sources));
  // No notification is sent when the lease of a message ends.
  const leases = setInterval(() => adapters.notify(null), LEASE_CHECK_MS);
  const sessions = createHub((ids) => readOpenSessions(db, ids));
  // No notification is sent when a key or a session expires.
  const expiry = setInterval(() => {
    keys.notify(null);
    sessions.notify(null);
  }, EXPIRY_CHECK_MS);
  const policyChecker = openPolicyChecker();
  const listener = await listen(
    databaseUrl,
    [channels.progress, channels.job, channels.key, channels.audit, channels.message],
    (channel, payload) => {
      if (channel === channels.audit) return audit.notify(null);
      if (channel === channels.message) return adapters.notify(payload);
      if (channel === channels.job) return jobs.notify(payload);
      if (channel === channels.key) return keys.notify(payload);
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
    audit,
    keys,
    sessions,
    adapters,
    adapterSessions: openAdapterSessions(),
    streams: countStreams(),
    readFollowed: sharedRead((id) => readChange(db, id)),
    settings,
    stopping,
    async close() {
      changes.close();
      jobs.close();
      audit.close();
      keys.close();
      sessions.close();
      adapters.close();
      clearInterval(leases);
      clearInterval(expiry);
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
