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
export const superviseNode = (spec: NodeProcessSpec): Promise<SupervisedProcess> =>
  supervise(spec.name, () => startNode(spec));

/** When it ends without being asked to, it is started again. */
export async function supervise(
  name: string,
  start: () => Promise<RunningServer>,
): Promise<SupervisedProcess> {
  let current = await start();
  let stopping = false;
  const restart = async (): Promise<void> => {
    while (!stopping) {
      await current.exited;
      if (stopping) return;
      await sleep(RESTART_MS);
      current = await start().catch(() => current);
    }
  };
  const supervision = restart();
  return {
    name,
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

/**
 * Five times what a busy worker needs. Of a large machine V8 and glibc would take as they like: half as much again before
 * the garbage is collected, and an arena for each core.
 */
const FRUGAL = { args: ['--max-old-space-size=256'], env: { MALLOC_ARENA_MAX: '2' } } as const;

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
