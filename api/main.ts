import '../uncaught';
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { sql } from 'kysely';
import { environment, Misconfigured, refuseDebugOutput } from '../config';
import { accountRulesOf } from '../connectors/registry';
import { openFingerprintKey, readSigner } from '../intake/key-files';
import { live } from '../lifetime';
import { log } from '../log';
import { startOps } from '../ops';
import { portError } from '../start-errors';
import { endRemovedSeries } from '../store/configuration/removed-sources';
import { isAway, openDatabase } from '../store/database';
import { migrate } from '../store/migrate';
import { savePublicUrl } from '../store/public-url';
import { retryUntilReachable } from '../store/until-reachable';
import { exportSpans } from '../telemetry/export-spans';
import { ensureAdminKey } from './admin/first-key';
import { createApp, createStartingApp } from './app';
import { openConsoleKey } from './console/console-key';
import { openProvider } from './console/sign-in/provider';
import { readSignInSettings } from './console/sign-in/settings';
import { type Dependencies, openDependencies, type Settings } from './http/dependencies';
import { listeningOn, startServer } from './http/server';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** The process that serves the API. It has only public keys, so it cannot open the passwords that it has sealed. */
async function main(stopping: AbortSignal): Promise<void> {
  refuseDebugOutput();
  const databaseUrl = required('DATABASE_URL');
  const settings = readSettings();
  const listening = listeningOn(
    environment.LOCKSTEP_API_HOST,
    environment.LOCKSTEP_API_PORT,
    environment.LOCKSTEP_API_TLS_CERT_FILE,
    environment.LOCKSTEP_API_TLS_KEY_FILE,
  );
  const traces = exportSpans(environment.LOCKSTEP_TRACES_URL, 'lockstep-api');
  const { DATABASE_DIRECT_URL = databaseUrl } = environment;
  const isPooled = DATABASE_DIRECT_URL !== databaseUrl;
  const database = openDatabase(databaseUrl, 'lockstep api', 20, isPooled);
  const { db } = database;
  let readiness = async (): Promise<string[]> => ['database'];
  const opsAt = { host: environment.LOCKSTEP_OPS_HOST, port: environment.LOCKSTEP_API_OPS_PORT };
  const ops = await startOps({
    ...opsAt,
    ready: () => readiness(),
    beforeScrape: () => endRemovedSeries(db),
  }).catch((error) => {
    throw portError('LOCKSTEP_API_OPS_PORT', opsAt, error);
  });

  // It listens first, so that clients get a problem instead of a refused connection while the database is unavailable.
  let app: RequestListener = createStartingApp();
  const server = await startServer((request, response) => app(request, response), listening);
  const deps = await retryUntilReachable(databaseUrl, stopping, async () => {
    await migrate(db, accountRulesOf);
    await ensureAdminKey(db, environment.LOCKSTEP_ADMIN_KEY_FILE);
    if (settings.publicUrl !== '') await savePublicUrl(db, settings.publicUrl);
    const consoleKey = await openConsoleKey(db, environment.LOCKSTEP_CONSOLE_KEY_FILE);
    return openDependencies(db, DATABASE_DIRECT_URL, { ...settings, consoleKey }, stopping);
  });
  app = createApp(deps);
  readiness = () => missing(deps);
  log.info('the API accepts requests', { address: server.url });

  if (!stopping.aborted) await once(stopping, 'abort');
  await server.stop();
  await deps.close();
  await traces.stop();
  await ops.close();
  await database.close();
}

function readSettings(): Omit<Settings, 'consoleKey'> {
  const { LOCKSTEP_API_PUBLIC_URL, LOCKSTEP_AGE_LIMIT_HOURS, TEMPORAL_UI_URL, TEMPORAL_NAMESPACE } =
    environment;
  const signerFile = required('LOCKSTEP_SIGNER_FILE');
  // The worker may not have written the file yet. A file that this process may not read is reported now.
  try {
    readSigner(signerFile);
  } catch (error) {
    throw new Misconfigured(`LOCKSTEP_SIGNER_FILE: ${(error as Error).message}`);
  }
  const signIn = readSignInSettings(environment.LOCKSTEP_SIGN_IN_FILE);
  const recentSignInMs = environment.LOCKSTEP_RECENT_SIGN_IN_MINUTES * MINUTE_MS;
  const temporal = TEMPORAL_UI_URL?.replace(/\/$/, '');
  return {
    fingerprintKey: openFingerprintKey(required('LOCKSTEP_FINGERPRINT_KEY_FILE')),
    signer: () => readSigner(signerFile),
    ageLimitMs: LOCKSTEP_AGE_LIMIT_HOURS * HOUR_MS,
    provider: signIn === null ? null : openProvider(signIn, recentSignInMs),
    recentSignInMs,
    oneTimeLinkMs: environment.LOCKSTEP_ONE_TIME_LINK_MINUTES * MINUTE_MS,
    publicUrl: LOCKSTEP_API_PUBLIC_URL?.replace(/\/$/, '') ?? '',
    temporalUrl: temporal === undefined ? null : `${temporal}/namespaces/${TEMPORAL_NAMESPACE}`,
  };
}

function required(
  name: 'DATABASE_URL' | 'LOCKSTEP_SIGNER_FILE' | 'LOCKSTEP_FINGERPRINT_KEY_FILE',
): string {
  const value = environment[name] ?? '';
  if (value === '') throw new Misconfigured(`Set ${name}`);
  return value;
}

/** What keeps the API from accepting a change: `database`, `epoch` (no key to seal to), or nothing. */
async function missing({ db, keyToSealTo }: Dependencies): Promise<string[]> {
  try {
    const { rows } = await sql<{ now: Date }>`select now() as now`.execute(db);
    return (await keyToSealTo(rows[0]?.now ?? new Date())) === null ? ['epoch'] : [];
  } catch (error) {
    if (isAway(error)) return ['database'];
    throw error;
  }
}

void live('the api', main);
