import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type DemoSystems, startSystems } from '../../local/demo/systems';
import { makeLookupRole } from '../../local/lookup';
import { type SupervisedProcess, superviseNode } from '../../local/node-process';
import { isRoot, secretsDir } from '../../local/places';
import { freePort } from '../../local/ports';
import { createDatabase, type LocalPostgres, startPostgres } from '../../local/postgres';
import { searchAttributes, startTemporal } from '../../local/temporal';
import { SIGNER_PUBLIC_FILE } from '../../store/worker/keys/key-directory';
import { refuseDeprecations } from './deprecations';
import type { EngineAddress } from './lockstep';
import { server } from './servers';

/**
 * The built Lockstep and the systems of the demo company, which share its PostgreSQL. Every process logs as much as possible, and
 * all data is in one folder.
 */
export interface TalkativeStack {
  readonly dir: string;
  readonly apiUrl: string;
  readonly adminKeyFile: string;
  /** URLs that serve `/metrics`. */
  readonly opsUrls: Readonly<Record<'api' | 'worker' | 'lookup', string>>;
  readonly lookupUrl: string;
  readonly postgres: LocalPostgres;
  readonly engine: EngineAddress;
  readonly systems: DemoSystems;
  /** Process ids by the name of the process. */
  pids(): Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

/** PostgreSQL settings that log every statement with its parameters, whether it fails or not. */
const everyStatement = {
  log_statement: 'all',
  log_parameter_max_length: '-1',
  log_parameter_max_length_on_error: '-1',
  log_min_error_statement: 'debug5',
  log_min_messages: 'debug1',
  log_error_verbosity: 'verbose',
  log_connections: 'on',
};

export async function startTalkativeStack(): Promise<TalkativeStack> {
  // PostgreSQL runs as the user nobody, which must be able to enter this folder.
  const dir = mkdtempSync(path.join(isRoot ? '/var/tmp' : os.tmpdir(), 'lockstep-talkative-'));
  chmodSync(dir, 0o755);
  const report = () => {};
  const logs = ['api', 'worker', 'lookup'].map((name) => path.join(dir, `${name}.log`));
  const stops: (() => Promise<unknown>)[] = [
    async () => rmSync(dir, { recursive: true }),
    async () => logs.forEach(refuseDeprecations),
  ];
  const started = async <T extends { stop(): Promise<unknown> }>(starting: Promise<T>) => {
    const one = await starting;
    stops.push(() => one.stop());
    return one;
  };
  const postgres = await started(
    startPostgres({ dir: path.join(dir, 'postgres'), report, settings: everyStatement }),
  );
  const engine = await started(startTemporal(engineIn(dir)));
  const systems = await started(
    startSystems({ stateDir: dir, postgres, withDomain: false, report }),
  );
  const files = { keys: path.join(dir, 'keys'), adminKey: path.join(dir, 'admin-key') };
  const [apiPort, apiOps, workerOps] = [await freePort(), await freePort(), await freePort()];
  const [lookupPort, lookupOps] = [await freePort(), await freePort()];
  const shared = {
    DATABASE_URL: await createDatabase(postgres, 'lockstep'),
    TEMPORAL_NAMESPACE: engine.namespace,
    LOCKSTEP_API_PORT: String(apiPort),
  };
  const worker = await started(
    startProcess('worker', dir, workerOps, {
      ...shared,
      TEMPORAL_ADDRESS: engine.address,
      LOCKSTEP_KEY_DIR: files.keys,
      LOCKSTEP_SECRETS_DIR: secretsDir(dir),
      LOCKSTEP_WORKER_OPS_PORT: String(workerOps),
    }),
  );
  const api = await started(
    startProcess('api', dir, apiOps, {
      ...shared,
      LOCKSTEP_API_OPS_PORT: String(apiOps),
      LOCKSTEP_SIGNER_FILE: path.join(files.keys, SIGNER_PUBLIC_FILE),
      LOCKSTEP_FINGERPRINT_KEY_FILE: path.join(dir, 'fingerprint.key'),
      LOCKSTEP_ADMIN_KEY_FILE: files.adminKey,
    }),
  );
  const passwordFile = path.join(dir, 'lookup-database-password');
  const lookup = await started(
    startProcess('lookup', dir, lookupOps, {
      LOCKSTEP_LOOKUP_DATABASE_URL: await makeLookupRole(shared.DATABASE_URL, passwordFile),
      LOCKSTEP_KEY_DIR: files.keys,
      LOCKSTEP_LOOKUP_PORT: String(lookupPort),
      LOCKSTEP_LOOKUP_OPS_PORT: String(lookupOps),
    }),
  );
  const { pid: slapd } = systems.slapd;
  return {
    dir,
    apiUrl: `http://127.0.0.1:${apiPort}`,
    adminKeyFile: files.adminKey,
    opsUrls: {
      api: `http://127.0.0.1:${apiOps}`,
      worker: `http://127.0.0.1:${workerOps}`,
      lookup: `http://127.0.0.1:${lookupOps}`,
    },
    lookupUrl: `http://127.0.0.1:${lookupPort}`,
    postgres,
    engine,
    systems,
    pids: () => ({
      api: api.pid(),
      worker: worker.pid(),
      lookup: lookup.pid(),
      postgres: postgres.pid,
      temporal: engine.pid,
      slapd,
    }),
    async stop() {
      for (const stop of stops.splice(0).reverse()) await stop();
    },
  };
}

const engineIn = (dir: string) => ({
  dir: path.join(dir, 'temporal'),
  binary: server('temporal').cliPath ?? '',
  namespace: 'lockstep',
  searchAttributes,
  headless: true,
});

/** Starts a built process. */
const startProcess = (
  name: 'api' | 'worker' | 'lookup',
  dir: string,
  opsPort: number,
  env: Readonly<Record<string, string>>,
): Promise<SupervisedProcess> =>
  superviseNode({
    name: `the ${name}`,
    entry: `dist/${name}/main.js`,
    env: { ...env, LOCKSTEP_LOG_LEVEL: 'debug' },
    logFile: path.join(dir, `${name}.log`),
    ports: [opsPort, ...(name === 'worker' ? [] : [Number(env[clientPort[name]])])],
    readyUrl: `http://127.0.0.1:${opsPort}/readyz`,
  });

/** The variable with the port for clients; the worker has none. */
const clientPort = {
  api: 'LOCKSTEP_API_PORT',
  lookup: 'LOCKSTEP_LOOKUP_PORT',
} as const;
