import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { freePort, loopback } from '../../local/ports';
import { type RunningServer, startServer } from '../../local/processes';
import type { Scope } from '../../model/api/scopes';
import { createApiKey } from '../../store/api-keys';
import { reportPresence } from '../../store/presence';
import { ensureEpoch } from '../../store/worker/epochs';
import { openKeyDirectory, SIGNER_PUBLIC_FILE } from '../../store/worker/keys/key-directory';
import type { KeyStore } from '../../store/worker/keys/key-store';
import { keepAuditIn } from './audit-chain';
import { type TestDatabase, testDatabase } from './database';
import { refuseDeprecations } from './deprecations';

/** The built api in its own process, with its own database; the test acts as the worker. */
export interface TestApi {
  readonly url: string;
  readonly opsUrl: string;
  readonly database: TestDatabase;
  /** Keys of the worker. */
  readonly keys: KeyStore;
  /** Folder with the files of the process. */
  readonly dir: string;
  readonly pid: () => number;
  /** The admin key, from the file that the api wrote. */
  readonly adminKey: () => string;
  newKey(scopes: readonly Scope[], groups?: readonly string[] | null): Promise<string>;
  send(method: string, path: string, options?: SendOptions): Promise<Reply>;
  /** Everything that the process has printed. */
  printed(): string;
  /** Stops only the process, as an operator does. */
  stopProcess(): Promise<void>;
  /** Starts the process again on the same address. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface SendOptions {
  /** API key; undefined for the admin key, null for none. */
  readonly key?: string | null;
  /** Sent as JSON, or unchanged if it is a Buffer. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed JSON; empty if the response is not JSON. */
  readonly body: Readonly<Record<string, unknown>>;
}

const root = path.resolve(__dirname, '../..');

interface TestApiOptions {
  readonly database?: TestDatabase;
  readonly env?: Readonly<Record<string, string>>;
  /** Modules that the process loads first. */
  readonly preload?: readonly string[];
  /** False: no worker is reported, so there is no epoch to seal to. */
  readonly worker?: boolean;
  /** Key folder of a running worker; if missing, the test creates keys. */
  readonly keyDir?: string;
}

export async function startTestApi(options: TestApiOptions = {}): Promise<TestApi> {
  const database = options.database ?? (await testDatabase());
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-api-'));
  const keyDir = options.keyDir ?? path.join(dir, 'keys');
  const keys = await openKeyDirectory(keyDir);
  keepAuditIn(database.db, keyDir);
  if (options.worker !== false) {
    await ensureEpoch(database.db, keys, 24);
    await reportPresence(database.db, 'test');
  }
  const port = Number(options.env?.LOCKSTEP_API_PORT ?? (await freePort()));
  const opsPort = await freePort();
  const opsUrl = `http://127.0.0.1:${opsPort}`;
  const startProcess = () =>
    startServer({
      name: 'the api',
      command: process.execPath,
      args: [
        ...[path.join(__dirname, 'typescript.cjs'), ...(options.preload ?? [])].flatMap((file) => [
          '-r',
          file,
        ]),
        path.join(root, 'api/main.ts'),
      ],
      env: {
        PATH: process.env.PATH,
        DATABASE_URL: database.url,
        LOCKSTEP_API_PORT: String(port),
        LOCKSTEP_API_OPS_PORT: String(opsPort),
        LOCKSTEP_SIGNER_FILE: path.join(keyDir, SIGNER_PUBLIC_FILE),
        LOCKSTEP_FINGERPRINT_KEY_FILE: path.join(dir, 'fingerprint.key'),
        LOCKSTEP_ADMIN_KEY_FILE: path.join(dir, 'admin-key'),
        LOCKSTEP_LOG_LEVEL: 'debug',
        ...options.env,
      },
      logFile: path.join(dir, 'api.log'),
      stopSignal: 'SIGTERM',
      listeners: [port, opsPort].map((one) => ({ ...loopback(one), proof: { by: 'owner' } })),
      ready: () => says(`${opsUrl}/readyz`, options.worker === false ? 'missing: epoch' : 'ready'),
    });
  return testApi({ url: `http://127.0.0.1:${port}`, opsUrl, database, keys, dir }, startProcess);
}

type Fixed = Pick<TestApi, 'url' | 'opsUrl' | 'database' | 'keys' | 'dir'>;

async function testApi(fixed: Fixed, startProcess: () => Promise<RunningServer>): Promise<TestApi> {
  const { url, database, dir } = fixed;
  let server = await startProcess();
  const adminKey = () => readFileSync(path.join(dir, 'admin-key'), 'utf8').trim();
  return {
    ...fixed,
    pid: () => server.pid,
    adminKey,
    async newKey(scopes, groups = null) {
      const wanted = { name: scopes.join('+'), scopes, groups, expiresAt: null };
      return (await createApiKey(database.db, wanted, 'test')).key;
    },
    send: (method, target, options = {}) =>
      send(
        url + target,
        method,
        options.key === undefined ? { ...options, key: adminKey() } : options,
      ),
    printed: () => readFileSync(path.join(dir, 'api.log'), 'utf8'),
    stopProcess: () => server.stop(),
    async restart() {
      await server.stop();
      server = await startProcess();
    },
    async stop() {
      await server.stop();
      await database.close();
      refuseDeprecations(path.join(dir, 'api.log'));
      rmSync(dir, { recursive: true });
    },
  };
}

export async function send(
  url: string,
  method: string,
  { key, body, headers }: SendOptions,
): Promise<Reply> {
  const raw = body instanceof Uint8Array || body instanceof ReadableStream;
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body) }),
    ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
  });
  const text = await response.text();
  const json = text !== '' && /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: json ? JSON.parse(text) : {},
  };
}

const says = (url: string, what: string): Promise<boolean> =>
  fetch(url).then(
    async (response) => (await response.text()).trim() === what,
    () => false,
  );
