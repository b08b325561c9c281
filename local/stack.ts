import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { environment, secretVariables } from '../config';
import type { Report } from './debian';
import { openLookup } from './lookup';
import { type SupervisedProcess, superviseNode } from './node-process';
import { openStore, type Store } from './open-store';
import { secretsDir } from './places';
import { freePort, onPort } from './ports';
import type { LocalPostgres } from './postgres';
import { searchAttributes, superviseTemporal, temporalBinary } from './temporal';

/** Lockstep on this machine: engine, database, api, worker and lookup service. We start those that no variable names, and stop them with us. */
export interface Stack {
  readonly apiUrl: string;
  readonly adminKeyFile: string;
  /** Null when `DATABASE_URL` names another server and `LOCKSTEP_LOOKUP_DATABASE_URL` is not set. */
  readonly lookupUrl: string | null;
  /** Null when `TEMPORAL_ADDRESS` names the engine and `TEMPORAL_UI_URL` is not set. */
  readonly temporalUiUrl: string | null;
  /** The server that we started. Null when `DATABASE_URL` names another one. */
  readonly postgres: LocalPostgres | null;
  /** host:port of the Temporal frontend. */
  readonly engineAddress: string;
  /** The ids of the processes that run now. */
  pids(): StackPids;
  stop(): Promise<void>;
}

/** Null for a server that we did not start. */
export interface StackPids {
  readonly api: number;
  readonly worker: number;
  readonly lookup: number | null;
  readonly engine: number | null;
  readonly postgres: number | null;
}

export interface StackOptions {
  /** Holds everything that stays from one start to the next. */
  readonly stateDir: string;
  readonly report: Report;
  /** An engine that runs already. Without it, that of `TEMPORAL_ADDRESS`, or else one that we start. */
  readonly engine?: { readonly address: string; readonly pid: number };
  /** For LOCKSTEP_SIGN_IN_FILE of the api; by default the one of the environment. */
  readonly signInFile?: string | undefined;
}

const API_PORT = 8080;
const WEB_UI_PORT = 8233;

export async function startStack({
  stateDir,
  report,
  engine: given,
  signInFile = environment.LOCKSTEP_SIGN_IN_FILE,
}: StackOptions): Promise<Stack> {
  mkdirSync(stateDir, { recursive: true, mode: 0o711 });
  const files = stateFiles(stateDir);
  for (const folder of [files.secrets, files.policies])
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const one of stops.splice(0).reverse()) await one();
  };
  const started = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const one = await starting;
    stops.push(() => one.stop());
    return one;
  };
  try {
    const [engine, store] = await everyOne([
      started(
        given === undefined
          ? openEngine(stateDir, report)
          : Promise.resolve({ ...given, uiUrl: null, stop: notOurs }),
      ),
      started(openStore(stateDir, report)),
    ]);
    const lockstep = await started(startLockstep({ ...files, signInFile }, engine, store));
    const lookup = await openLookup(files, store);
    if (lookup !== null) stops.push(() => lookup.process.stop());
    const { apiLog, workerLog, lookupLog, adminKey } = files;
    const support = {
      ops: [...lockstep.opsUrls, ...(lookup === null ? [] : [lookup.opsUrl])],
      logs: [apiLog, workerLog, ...(lookup === null ? [] : [lookupLog])].map((log) =>
        path.resolve(log),
      ),
    };
    writeFileSync(
      files.cli,
      JSON.stringify({ url: lockstep.apiUrl, keyFile: adminKey, ...support }),
    );
    writeWorkerFile(files, store);
    return {
      apiUrl: lockstep.apiUrl,
      adminKeyFile: files.adminKey,
      lookupUrl: lookup?.url ?? null,
      temporalUiUrl: engine.uiUrl,
      postgres: store.server,
      engineAddress: engine.address,
      pids: () => ({
        ...lockstep.pids(),
        lookup: lookup?.process.pid() ?? null,
        engine: engine.pid,
        postgres: store.server?.pid ?? null,
      }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** For `lockstep sso secret`, which works on what the worker has. A database of the operator is named by the operator. */
function writeWorkerFile(
  { worker, keys }: Pick<StateFiles, 'worker' | 'keys'>,
  store: Store,
): void {
  rmSync(worker, { force: true });
  if (store.server === null) return;
  const settings = { databaseUrl: store.url, keyDir: path.resolve(keys) };
  writeFileSync(worker, JSON.stringify(settings), { mode: 0o600 });
}

/** Waits for all, also when one fails, so that the others are known and can be stopped. */
async function everyOne<const Starting extends readonly Promise<unknown>[]>(starting: Starting) {
  await Promise.allSettled(starting);
  return Promise.all(starting);
}

const stateFiles = (stateDir: string) => ({
  keys: path.join(stateDir, 'keys'),
  signer: path.join(stateDir, 'keys', 'signer.pub.json'),
  fingerprintKey: path.join(stateDir, 'fingerprint.key'),
  adminKey: path.join(stateDir, 'admin-key'),
  consoleKey: path.join(stateDir, 'console-key'),
  cli: path.join(stateDir, 'cli.json'),
  worker: path.join(stateDir, 'worker.json'),
  apiLog: path.join(stateDir, 'api.log'),
  workerLog: path.join(stateDir, 'worker.log'),
  lookupLog: path.join(stateDir, 'lookup.log'),
  lookupPassword: path.join(stateDir, 'lookup-database-password'),
  secrets: secretsDir(stateDir),
  policies: path.resolve(stateDir, 'policies'),
});
type StateFiles = ReturnType<typeof stateFiles> & { readonly signInFile: string | undefined };

interface Engine {
  readonly address: string;
  readonly uiUrl: string | null;
  readonly pid: number | null;
  stop(): Promise<void>;
}

const notOurs = async (): Promise<void> => {};

async function openEngine(stateDir: string, report: Report): Promise<Engine> {
  const { TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_UI_URL } = environment;
  if (TEMPORAL_ADDRESS !== undefined)
    return { address: TEMPORAL_ADDRESS, uiUrl: TEMPORAL_UI_URL ?? null, pid: null, stop: notOurs };
  const binary = await temporalBinary({ report });
  return onPort(WEB_UI_PORT, (uiPort) =>
    superviseTemporal({
      dir: path.join(stateDir, 'temporal'),
      binary,
      namespace: TEMPORAL_NAMESPACE,
      searchAttributes,
      uiPort,
    }),
  );
}

interface Lockstep {
  readonly apiUrl: string;
  /** Where api and worker show their health and metrics. */
  readonly opsUrls: readonly string[];
  pids(): Pick<StackPids, 'api' | 'worker'>;
  stop(): Promise<void>;
}

/** Starts api and worker together: the api is ready when the worker has published a key to seal to. */
const startLockstep = (files: StateFiles, engine: Engine, store: Store): Promise<Lockstep> =>
  onPort(API_PORT, async (apiPort) => {
    const [apiOps, workerOps] = [await freePort(), await freePort()];
    const shared = {
      ...store.env,
      DATABASE_URL: store.url,
      TEMPORAL_NAMESPACE: environment.TEMPORAL_NAMESPACE,
      LOCKSTEP_LOG_LEVEL: environment.LOCKSTEP_LOG_LEVEL,
      LOCKSTEP_EPOCH_HOURS: String(environment.LOCKSTEP_EPOCH_HOURS),
      LOCKSTEP_AGE_LIMIT_HOURS: String(environment.LOCKSTEP_AGE_LIMIT_HOURS),
      LOCKSTEP_FINGERPRINT_KEY_FILE: files.fingerprintKey,
      LOCKSTEP_API_PORT: String(apiPort),
      LOCKSTEP_POLICY_DIR: files.policies,
      ...(engine.uiUrl === null ? {} : { TEMPORAL_UI_URL: engine.uiUrl }),
      ...(environment.LOCKSTEP_TRACES_URL !== undefined && {
        LOCKSTEP_TRACES_URL: environment.LOCKSTEP_TRACES_URL,
      }),
    };
    const [worker, api] = await allOrNone([
      superviseNode({
        name: 'the worker',
        entry: 'worker/main.js',
        env: {
          ...shared,
          TEMPORAL_ADDRESS: engine.address,
          LOCKSTEP_KEY_DIR: files.keys,
          LOCKSTEP_SECRETS_DIR: files.secrets,
          ...secretVariables(),
          LOCKSTEP_WORKER_OPS_PORT: String(workerOps),
          LOCKSTEP_WORKFLOW_DIAGNOSTICS: environment.LOCKSTEP_WORKFLOW_DIAGNOSTICS,
          ...(environment.LOCKSTEP_COMMAND_DIR !== undefined && {
            LOCKSTEP_COMMAND_DIR: environment.LOCKSTEP_COMMAND_DIR,
          }),
        },
        logFile: files.workerLog,
        ports: [workerOps],
        readyUrl: `http://127.0.0.1:${workerOps}/readyz`,
      }),
      superviseNode({
        name: 'the api',
        entry: 'api/main.js',
        env: {
          ...shared,
          LOCKSTEP_SIGNER_FILE: files.signer,
          LOCKSTEP_ADMIN_KEY_FILE: files.adminKey,
          LOCKSTEP_CONSOLE_KEY_FILE: files.consoleKey,
          ...(files.signInFile !== undefined && { LOCKSTEP_SIGN_IN_FILE: files.signInFile }),
          LOCKSTEP_API_OPS_PORT: String(apiOps),
        },
        logFile: files.apiLog,
        ports: [apiPort, apiOps],
        readyUrl: `http://127.0.0.1:${apiOps}/readyz`,
      }),
    ]);
    return {
      apiUrl: `http://127.0.0.1:${apiPort}`,
      opsUrls: [apiOps, workerOps].map((port) => `http://127.0.0.1:${port}`),
      pids: () => ({ api: api.pid(), worker: worker.pid() }),
      stop: async () => {
        await Promise.all([worker.stop(), api.stop()]);
      },
    };
  });

/** When one does not come up, the others are stopped again. */
async function allOrNone<const Starting extends readonly Promise<SupervisedProcess>[]>(
  starting: Starting,
) {
  const results = await Promise.allSettled(starting);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed === undefined) return Promise.all(starting);
  const up = results.filter((result) => result.status === 'fulfilled');
  await Promise.all(up.map(({ value }) => value.stop()));
  throw failed.reason;
}
