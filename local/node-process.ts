import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inheritedEnvironment } from '../config';
import { type RunningServer, startServer } from './processes';

export interface NodeProcessSpec {
  readonly name: string;
  /** Below `dist/`, such as `api/main.js`. */
  readonly entry: string;
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Answers 200 when the process can do its work. */
  readonly readyUrl: string;
}

export interface SupervisedProcess {
  readonly name: string;
  /** Of the process that runs now. */
  pid(): number;
  stop(): Promise<void>;
}

const RESTART_MS = 500;

/** A process of Lockstep itself. When it ends without being asked to, it is started again. */
export async function superviseNode(spec: NodeProcessSpec): Promise<SupervisedProcess> {
  let current = await startNode(spec);
  let stopping = false;
  const supervise = async (): Promise<void> => {
    while (!stopping) {
      await current.exited;
      if (stopping) return;
      await sleep(RESTART_MS);
      current = await startNode(spec).catch(() => current);
    }
  };
  const supervision = supervise();
  return {
    name: spec.name,
    pid: () => current.pid,
    async stop() {
      stopping = true;
      await current.stop();
      await supervision;
      // It may have been started again in that moment.
      await current.stop();
    },
  };
}

/** By default V8 (for each thread) and glibc (for each core) keep tens of MiB more, for work of other kinds than ours. */
const FRUGAL = { args: ['--max-semi-space-size=8'], env: { MALLOC_ARENA_MAX: '2' } } as const;

const startNode = ({
  name,
  entry,
  env,
  logFile,
  readyUrl,
}: NodeProcessSpec): Promise<RunningServer> =>
  startServer({
    name,
    command: process.execPath,
    args: ['--enable-source-maps', ...FRUGAL.args, path.join(__dirname, '..', entry)],
    env: { ...FRUGAL.env, ...inheritedEnvironment(), ...env },
    logFile,
    stopSignal: 'SIGTERM',
    ready: () => answersOk(readyUrl),
    readyTimeoutMs: 60_000,
  });

async function answersOk(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
}
