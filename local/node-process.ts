import path from 'node:path';
import { inheritedEnvironment } from '../config';
import { timeLimit } from '../time-limit';
import { loopback } from './ports';
import { type RunningServer, startServer } from './processes';
import { keepRunning } from './supervise';

export interface NodeProcessSpec {
  readonly name: string;
  /** Below `dist/`, such as `api/main.js`. */
  readonly entry: string;
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Every port that it opens. */
  readonly ports: readonly number[];
  /** Answers 200 when the process can do its work. */
  readonly readyUrl: string;
}

export interface SupervisedProcess {
  readonly name: string;
  /** The id of the process that runs now. */
  pid(): number;
  stop(): Promise<void>;
}

/** Starts a process of Lockstep itself, and starts it again when it ends before `stop`. */
export const superviseNode = (spec: NodeProcessSpec): Promise<SupervisedProcess> =>
  supervise(spec.name, () => startNode(spec));

/** Starts a server, and starts it again when it ends before `stop`. */
export async function supervise(
  name: string,
  start: () => Promise<RunningServer>,
): Promise<SupervisedProcess> {
  const server = keepRunning(await start(), start);
  return { name, pid: () => server.pid, stop: server.stop };
}

/**
 * Five times what a busy worker needs. Without these limits, V8 and glibc take more memory on a large machine: V8 collects
 * garbage later, and glibc has an arena for each core.
 */
const FRUGAL = { args: ['--max-old-space-size=256'], env: { MALLOC_ARENA_MAX: '2' } } as const;

/** The flags of Node with which a process of Lockstep runs. */
export const NODE_FLAGS: readonly string[] = ['--enable-source-maps', ...FRUGAL.args];

/** Of the machine's PG… variables only those are inherited that `env` has: they are about another server. */
const withoutDriverVariables = (inherited: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(inherited).filter(([name]) => !/^PG[A-Z_]+$/.test(name)));

const startNode = ({
  name,
  entry,
  env,
  logFile,
  ports,
  readyUrl,
}: NodeProcessSpec): Promise<RunningServer> =>
  startServer({
    name,
    command: process.execPath,
    args: [...NODE_FLAGS, path.join(__dirname, '..', entry)],
    env: { ...FRUGAL.env, ...withoutDriverVariables(inheritedEnvironment()), ...env },
    logFile,
    stopSignal: 'SIGTERM',
    listeners: ports.map((port) => ({ ...loopback(port), proof: { by: 'owner' } })),
    ready: () => answersOk(readyUrl),
    readyTimeoutMs: 60_000,
  });

async function answersOk(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: timeLimit(2_000) })).ok;
  } catch {
    return false;
  }
}
