import '../uncaught';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import type { Dependencies } from '../activities/dependencies';
import { environment, Misconfigured, refuseDebugOutput } from '../config';
import { openNoticeChannels } from '../connectors/notices/open';
import { openConnectors } from '../connectors/open';
import { openReferences } from '../connectors/references';
import { accountRulesOf } from '../connectors/registry';
import { watchEpochs } from '../intake/epochs';
import { openFingerprintKey, readSigner } from '../intake/key-files';
import { openPolicyChecker } from '../intake/policy/check-policy';
import { live } from '../lifetime';
import { log } from '../log';
import { fileError } from '../start-errors';
import { endRemovedSeries } from '../store/configuration/removed-sources';
import { watchConfiguration } from '../store/configuration/watch';
import { openDatabase } from '../store/database';
import { migrate } from '../store/migrate';
import { removePresence } from '../store/presence';
import { retryUntilReachable } from '../store/until-reachable';
import { openAnchorFile } from '../store/worker/audit/anchors';
import { openAuditKeys } from '../store/worker/audit/audit-keys';
import { CAPTURE_KEY_HOURS, ensureEpoch } from '../store/worker/epochs';
import { openEventKey } from '../store/worker/keys/event-key';
import { openKeyDirectory, SIGNER_PUBLIC_FILE } from '../store/worker/keys/key-directory';
import { openMasterKeys } from '../store/worker/keys/open';
import { exportSpans } from '../telemetry/export-spans';
import { openMailboxes } from './adapters/mailbox';
import { runBoundWorker, startWorkerOps } from './bound';
import { startCaptures } from './captures/ingest-relayed';
import { startEngineSide } from './changes/engine';
import { engineLogin } from './changes/engine-login';
import { linksToChanges } from './changes/link-to-change';
import { installRuntime } from './changes/temporal';
import { startJanitor } from './janitor';
import { startJobs } from './jobs/jobs';
import { registerWorkerMetrics } from './metrics';
import { startExpiryWatch, startNoticeWatch } from './notices/watch';
import { startReplicas } from './replicas';

const HOUR_MS = 3_600_000;
const ANCHOR_FILE = 'anchors.jsonl';

/**
 * The worker process. It holds the private keys, and talks to sources and to the engine. Several may run at once to
 * do more work.
 */
async function main(stopping: AbortSignal): Promise<void> {
  refuseDebugOutput();
  const { DATABASE_URL, LOCKSTEP_KEY_DIR, TEMPORAL_ADDRESS } = environment;
  if (DATABASE_URL === undefined)
    throw new Misconfigured('Set DATABASE_URL to the PostgreSQL URL of Lockstep');
  if (LOCKSTEP_KEY_DIR === undefined)
    throw new Misconfigured('Set LOCKSTEP_KEY_DIR to the folder for the private keys');
  if (TEMPORAL_ADDRESS === undefined)
    throw new Misconfigured('Set TEMPORAL_ADDRESS to host:port of Temporal');
  const login = engineLogin(environment);
  installRuntime();
  const { LOCKSTEP_WORKER_SOURCES } = environment;
  if (LOCKSTEP_WORKER_SOURCES !== undefined) {
    const places = {
      databaseUrl: DATABASE_URL,
      keyDir: LOCKSTEP_KEY_DIR,
      temporalAddress: TEMPORAL_ADDRESS,
      login,
    };
    return runBoundWorker(LOCKSTEP_WORKER_SOURCES, places, stopping);
  }

  const traces = exportSpans(environment.LOCKSTEP_TRACES_URL, 'lockstep-worker');
  const { DATABASE_DIRECT_URL = DATABASE_URL } = environment;
  const isPooled = DATABASE_DIRECT_URL !== DATABASE_URL;
  const database = openDatabase(DATABASE_URL, 'lockstep worker', 20, isPooled);
  const { db } = database;
  let missing = (): readonly string[] => ['database'];
  const ops = await startWorkerOps(
    () => missing(),
    () => endRemovedSeries(db),
  );
  const elsewhere =
    environment.LOCKSTEP_TRANSIT_URL === undefined
      ? undefined
      : openMasterKeys(environment, LOCKSTEP_KEY_DIR, db);
  const keys = await openKeyDirectory(LOCKSTEP_KEY_DIR, elsewhere).catch((error) => {
    throw fileError('LOCKSTEP_KEY_DIR', LOCKSTEP_KEY_DIR, error);
  });
  const audit = {
    keys: openAuditKeys(LOCKSTEP_KEY_DIR),
    anchors: openAnchorFile(
      environment.LOCKSTEP_AUDIT_ANCHOR_FILE ?? path.join(LOCKSTEP_KEY_DIR, 'audit', ANCHOR_FILE),
    ),
  };
  await retryUntilReachable(DATABASE_URL, stopping, async () => {
    await migrate(db, accountRulesOf);
    // Epochs are made before the worker connects to the engine: with an epoch the api can seal, and so accept changes.
    await ensureEpoch(db, keys, environment.LOCKSTEP_EPOCH_HOURS);
    await ensureEpoch(db, keys, environment.LOCKSTEP_EPOCH_HOURS, 'capture');
  });

  const mailboxes = await openMailboxes(db, DATABASE_DIRECT_URL);
  const connectors = openConnectors(environment, mailboxes.of);
  const deps: Dependencies = {
    db,
    keys,
    configuration: watchConfiguration(db),
    connector: connectors.of,
    accountRules: accountRulesOf,
    random: Math.random,
  };
  const workerId = `worker-${randomBytes(6).toString('hex')}`;
  registerWorkerMetrics(db);
  const janitor = startJanitor(
    db,
    keys,
    audit,
    environment.LOCKSTEP_EPOCH_HOURS,
    Math.max(CAPTURE_KEY_HOURS, environment.LOCKSTEP_AGE_LIMIT_HOURS),
  );
  const replicas = startReplicas(deps);
  const captures = await openCaptures(deps, DATABASE_DIRECT_URL, LOCKSTEP_KEY_DIR);
  const eventKey = openEventKey(LOCKSTEP_KEY_DIR, db, keys);
  const noticeWatch = startNoticeWatch(
    db,
    watchConfiguration(db),
    eventKey,
    keys.unsavedMasterKeys,
  );
  const expiryWatch = startExpiryWatch(db, watchConfiguration(db));
  const notices = openNoticeChannels({
    resolve: openReferences(environment),
    issuer: environment.LOCKSTEP_API_PUBLIC_URL?.replace(/\/$/, '') ?? null,
    signEvent: eventKey.sign,
  });
  const jobs = await startJobs(
    deps,
    { audit, candidate: connectors.candidate },
    DATABASE_DIRECT_URL,
  );
  const engineSide = startEngineSide(
    deps,
    {
      address: TEMPORAL_ADDRESS,
      namespace: environment.TEMPORAL_NAMESPACE,
      login,
      databaseUrl: DATABASE_DIRECT_URL,
      workerId,
      workflows: workflowCode(),
      workflowDiagnostics: environment.LOCKSTEP_WORKFLOW_DIAGNOSTICS === 'on',
      notices,
      servers: connectors.servers,
      linkTo: linksToChanges(
        db,
        environment.LOCKSTEP_API_PUBLIC_URL,
        `http://127.0.0.1:${environment.LOCKSTEP_API_PORT}`,
      ),
    },
    stopping,
  );
  missing = engineSide.missing;
  log.info('the worker is up', { address: ops.address });

  await engineSide.ended;
  await Promise.all([
    jobs.stop(),
    mailboxes.stop(),
    captures?.stop(),
    ...[...janitor, replicas, noticeWatch, expiryWatch].map((loop) => loop.stop()),
  ]);
  await removePresence(db, workerId).catch(() => {});
  await connectors.close();
  await traces.stop();
  notices.close();
  await ops.close();
  await database.close();
}

/**
 * Starts to ingest relayed captures. Without LOCKSTEP_FINGERPRINT_KEY_FILE a worker cannot recognise passwords that
 * come again, so it ingests none: they wait, and the result is null.
 */
async function openCaptures(
  deps: Dependencies,
  databaseUrl: string,
  keyDir: string,
): Promise<{ stop(): Promise<void> } | null> {
  const { LOCKSTEP_FINGERPRINT_KEY_FILE, LOCKSTEP_AGE_LIMIT_HOURS } = environment;
  if (LOCKSTEP_FINGERPRINT_KEY_FILE === undefined) {
    log.warn(
      'this worker does not ingest captures of relays: set LOCKSTEP_FINGERPRINT_KEY_FILE to the file of the api',
    );
    return null;
  }
  const signer = readSigner(path.join(keyDir, SIGNER_PUBLIC_FILE));
  const policyChecker = openPolicyChecker();
  const captures = await startCaptures(
    {
      ...deps,
      configuration: watchConfiguration(deps.db),
      keyToSealTo: watchEpochs(deps.db, () => signer),
      policyChecker,
      settings: {
        fingerprintKey: openFingerprintKey(LOCKSTEP_FINGERPRINT_KEY_FILE),
        ageLimitMs: LOCKSTEP_AGE_LIMIT_HOURS * HOUR_MS,
      },
    },
    databaseUrl,
  );
  return {
    async stop() {
      await captures.stop();
      await policyChecker.close();
    },
  };
}

/** The workflow code, which the build of Lockstep bundles. */
const workflowCode = () => ({
  workflowBundle: { codePath: path.join(__dirname, '..', 'workflow-bundle.js') },
});

void live('the worker', main);
