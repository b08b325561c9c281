import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRoot, NOBODY } from './places';
import { isFree, PortTaken } from './ports';
import { isProven, type Listener } from './proofs';

export interface ServerSpec {
  /** The name in messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Receives stdout and stderr; its end is shown when the server does not come up. */
  readonly logFile: string;
  /** When we are root, the server runs as the user nobody. */
  readonly asNobody?: boolean;
  /** The signal for an orderly stop. */
  readonly stopSignal: NodeJS.Signals;
  /** Every port that it opens, each with the proof that this process has it. Empty for a process that opens none. */
  readonly listeners: readonly Listener[];
  /** A further condition, polled until it is true. */
  readonly ready?: () => Promise<boolean>;
  readonly readyTimeoutMs?: number;
}

export interface RunningServer {
  readonly name: string;
  readonly pid: number;
  /** Resolves when the process has ended, for any reason. */
  readonly exited: Promise<void>;
  /** Stops it in order, or kills it after ten seconds. A second call does nothing. */
  stop(): Promise<void>;
}

const STOP_TIMEOUT_MS = 10_000;
const READY_TIMEOUT_MS = 20_000;
const POLL_MS = 20;

/**
 * Starts a server and waits until it has proved that it has all of its ports. The server ends when we end, even when we
 * are killed.
 * @throws PortTaken when another process has one of its ports
 * @throws Error with the end of its log when it does not come up for another reason
 */
export async function startServer(spec: ServerSpec): Promise<RunningServer> {
  await refuseTakenPort(spec);
  const { command, args } = leashed(spec);
  const log = openSync(spec.logFile, 'a', 0o600);
  const child = spawn(command, args, {
    cwd: spec.cwd ?? '/',
    env: spec.env,
    stdio: ['ignore', log, log],
    // A process group of its own: Ctrl-C in the terminal reaches us alone, and we stop the servers in the right order.
    detached: true,
  });
  closeSync(log);
  const gone = ended(child);
  const server = running(spec, child, gone.promise);
  const deadline = Date.now() + (spec.readyTimeoutMs ?? READY_TIMEOUT_MS);
  for (;;) {
    const isUp = gone.how() === null && (await isReady(spec, server.pid));
    // It may have ended during the last look.
    const how = gone.how();
    if (how !== null) return fail(spec, `ended at once (${how})`);
    if (isUp) return server;
    if (Date.now() > deadline) {
      await server.stop();
      return fail(spec, 'did not come up');
    }
    await sleep(POLL_MS);
  }
}

async function isReady({ listeners, ready }: ServerSpec, pid: number): Promise<boolean> {
  for (const listener of listeners) if (!(await isProven(listener, pid))) return false;
  return ready === undefined || ready();
}

/** A server that ended in this folder before it may still hold the port; then its answer would pass as that of the new one. */
async function refuseTakenPort({ name, listeners }: ServerSpec): Promise<void> {
  for (const { host, port } of listeners)
    if (!(await isFree({ host, port })))
      throw new PortTaken(`${name} cannot start: another process has port ${port} of ${host}`);
}

async function fail(spec: ServerSpec, what: string): Promise<never> {
  await refuseTakenPort(spec);
  const tail = readFileSync(spec.logFile, 'utf8').trim().split('\n').slice(-15).join('\n  ');
  throw new Error(`${spec.name} ${what}. The end of ${spec.logFile}:\n  ${tail}`);
}

function running(spec: ServerSpec, child: ChildProcess, exited: Promise<void>): RunningServer {
  const alive = () => child.exitCode === null && child.signalCode === null;
  return {
    name: spec.name,
    pid: child.pid ?? 0,
    exited,
    async stop() {
      if (!alive()) return;
      child.kill(spec.stopSignal);
      const impatience = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await exited;
      clearTimeout(impatience);
    },
  };
}

const SETPRIV = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));

/**
 * On Linux the kernel signals the server when we end (`prctl(2)` PR_SET_PDEATHSIG), also after SIGKILL. On other systems
 * only an orderly end of ours stops it.
 */
function leashed(spec: ServerSpec): { command: string; args: string[] } {
  const asNobody = isRoot && spec.asNobody === true;
  if (SETPRIV === undefined) {
    if (asNobody)
      throw new Error(`Starting ${spec.name} as root needs setpriv (package util-linux)`);
    return { command: spec.command, args: [...spec.args] };
  }
  const identity = asNobody
    ? [`--reuid=${NOBODY.uid}`, `--regid=${NOBODY.gid}`, '--clear-groups']
    : [];
  const leash = ['--pdeathsig', spec.stopSignal.replace('SIG', '')];
  return { command: SETPRIV, args: [...identity, ...leash, spec.command, ...spec.args] };
}

function ended(child: ChildProcess): { promise: Promise<void>; how: () => string | null } {
  let how: string | null = null;
  const promise = new Promise<void>((resolve) => {
    const end = (reason: string) => {
      how = reason;
      resolve();
    };
    child.once('error', (error) => end(error.message));
    child.once('exit', (code, signal) => end(`exit ${code ?? signal}`));
  });
  return { promise, how: () => how };
}
