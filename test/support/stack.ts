import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type NodeProcessSpec, superviseNode } from '../../local/node-process';
import { isRoot } from '../../local/places';
import { freePort } from '../../local/ports';
import { createDatabase, startPostgres } from '../../local/postgres';
import type { RunningServer } from '../../local/processes';
import { searchAttributes, startTemporal } from '../../local/temporal';
import { type OpenDatabase, openDatabase } from '../../store/database';
import { SIGNER_PUBLIC_FILE } from '../../store/worker/keys/key-directory';
import { keepAuditIn } from './audit-chain';
import { refuseDeprecations } from './deprecations';
import { server } from './servers';
import { until } from './until';

/** The built Lockstep in processes that a test can kill: api, workers, PostgreSQL, Temporal. */
export interface TestStack {
  /** A connection to the store that is independent of api and worker. */
  readonly database: OpenDatabase & { readonly url: string };
  readonly api: Part;
  readonly worker: Part;
  readonly postgres: Part;
  readonly engine: Part & {
    /** Deletes all its data. */
    forget(): void;
  };
  /** URL of the api. */
  readonly url: string;
  /** The key folder of the workers. */
  readonly keyDir: string;
  startWorker(): Promise<Part>;
  /** Calls the api with the admin key. @param path below `/v1/` */
  call(
    method: string,
    path: string,
    body?: object,
    headers?: RequestInit['headers'],
  ): Promise<Answer>;
  stop(): Promise<void>;
}

export interface Part {
  /** Process id of the current or last process. */
  pid(): number;
  /** Kills the process with SIGKILL. */
  kill(): Promise<void>;
  /** Resolves when the process runs again after `kill` or `stop`. After `kill` its supervisor restarts it, if it has one. */
  back(): Promise<void>;
  /** Shuts the process down as an operator does. */
  stop(): Promise<void>;
  /** Stops the process with SIGSTOP, without notice to others. */
  freeze(): void;
  thaw(): void;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

/** @param secrets the folder with the secrets of the sources */
export async function startTestStack(secrets: string): Promise<TestStack> {
  // PostgreSQL runs as the user nobody, which must be able to enter this folder.
  const dir = mkdtempSync(path.join(isRoot ? '/var/tmp' : os.tmpdir(), 'lockstep-stack-'));
  chmodSync(dir, 0o755);
  const [postgresPort, enginePort, apiPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const startStore = () =>
    startPostgres({ dir: path.join(dir, 'postgres'), port: postgresPort, report: () => {} });
  const first = await startStore();
  const url = await createDatabase(first, 'lockstep');
  const postgres = serverPart(first, startStore);
  const startEngine = () => startTemporal(engineIn(dir, enginePort));
  const engine = serverPart(await startEngine(), startEngine);

  const processes: Part[] = [];
  const start = async (name: 'api' | 'worker', env: Record<string, string>): Promise<Part> => {
    const spec = await specOf(name, dir, {
      DATABASE_URL: url,
      TEMPORAL_NAMESPACE: 'lockstep',
      ...env,
    });
    const part = await supervisedPart(spec);
    processes.push(part);
    return part;
  };
  const keys = path.join(dir, 'keys');
  const startWorker = () =>
    start('worker', {
      TEMPORAL_ADDRESS: `127.0.0.1:${enginePort}`,
      LOCKSTEP_KEY_DIR: keys,
      LOCKSTEP_FINGERPRINT_KEY_FILE: path.join(dir, 'fingerprint.key'),
      LOCKSTEP_SECRETS_DIR: secrets,
    });
  const worker = await startWorker();
  const adminKey = path.join(dir, 'admin-key');
  const api = await start('api', {
    LOCKSTEP_API_PORT: String(apiPort),
    LOCKSTEP_SIGNER_FILE: path.join(keys, SIGNER_PUBLIC_FILE),
    LOCKSTEP_FINGERPRINT_KEY_FILE: path.join(dir, 'fingerprint.key'),
    LOCKSTEP_ADMIN_KEY_FILE: adminKey,
  });
  const database = { url, ...openDatabase(url, 'lockstep test', 5) };
  keepAuditIn(database.db, keys);
  return {
    database,
    api,
    worker,
    postgres,
    engine: { ...engine, forget: () => rmSync(engineIn(dir, 0).dir, { recursive: true }) },
    url: `http://127.0.0.1:${apiPort}`,
    keyDir: keys,
    startWorker,
    call: (method, target, body, headers) =>
      call(`http://127.0.0.1:${apiPort}/v1/${target}`, adminKey, method, body, headers),
    async stop() {
      await Promise.all(processes.map((part) => part.stop()));
      await database.close();
      await Promise.all([engine.stop(), postgres.stop()]);
      for (const name of ['api', 'worker']) refuseDeprecations(path.join(dir, `${name}.log`));
      rmSync(dir, { recursive: true });
    },
  };
}

const engineIn = (dir: string, port: number) => ({
  dir: path.join(dir, 'temporal'),
  binary: server('temporal').cliPath ?? '',
  namespace: 'lockstep',
  searchAttributes,
  port,
  headless: true,
});

/** The command line of a built process. */
async function specOf(
  name: 'api' | 'worker',
  dir: string,
  env: Readonly<Record<string, string>>,
): Promise<NodeProcessSpec> {
  const opsPort = await freePort();
  return {
    name: `the ${name}`,
    entry: `dist/${name}/main.js`,
    env: { ...env, [`LOCKSTEP_${name.toUpperCase()}_OPS_PORT`]: String(opsPort) },
    logFile: path.join(dir, `${name}.log`),
    ports: [opsPort, ...(name === 'api' ? [Number(env.LOCKSTEP_API_PORT)] : [])],
    readyUrl: `http://127.0.0.1:${opsPort}/readyz`,
  };
}

function serverPart(first: RunningServer, start: () => Promise<RunningServer>): Part {
  let current = first;
  return {
    ...signals(() => current.pid),
    async kill() {
      process.kill(current.pid, 'SIGKILL');
      await current.exited;
    },
    async back() {
      current = await start();
    },
    stop: () => current.stop(),
  };
}

async function supervisedPart(spec: NodeProcessSpec): Promise<Part> {
  let current = await superviseNode(spec);
  let gone: number | null = null;
  return {
    ...signals(() => current.pid()),
    async kill() {
      gone = current.pid();
      process.kill(gone, 'SIGKILL');
    },
    async back() {
      if (gone === null) current = await superviseNode(spec);
      else await until(() => current.pid() !== gone);
    },
    async stop() {
      gone = null;
      await current.stop();
    },
  };
}

const signals = (pid: () => number): Pick<Part, 'pid' | 'freeze' | 'thaw'> => ({
  pid,
  freeze: () => signal(pid(), 'SIGSTOP'),
  thaw: () => signal(pid(), 'SIGCONT'),
});

/** Sends a signal and ignores a process that has ended. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function call(
  url: string,
  keyFile: string,
  method: string,
  body?: object,
  headers: RequestInit['headers'] = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${readFileSync(keyFile, 'utf8').trim()}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? {} : JSON.parse(text),
  };
}
