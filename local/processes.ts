import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRoot, NOBODY } from './places';

export interface ServerSpec {
  /** As it is called in messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Takes stdout and stderr; shown when the server does not come up. */
  readonly logFile: string;
  /** Run as nobody when we are root. */
  readonly asNobody?: boolean;
  /** The signal for an orderly stop. */
  readonly stopSignal: NodeJS.Signals;
  /** Polled until true. */
  readonly ready: () => Promise<boolean>;
  readonly readyTimeoutMs?: number;
}

export interface RunningServer {
  readonly name: string;
  readonly pid: number;
  /** Resolves when the process is gone, whoever ended it. */
  readonly exited: Promise<void>;
  /** Orderly; killed when it takes longer than ten seconds. Safe to call twice. */
  stop(): Promise<void>;
}

const STOP_TIMEOUT_MS = 10_000;
const POLL_MS = 20;

/** Starts a server and waits until it answers. It dies with us, even when we are killed. */
export async function startServer(spec: ServerSpec): Promise<RunningServer> {
  const { command, args } = leashed(spec);
  const log = openSync(spec.logFile, 'a', 0o600);
  const child = spawn(command, args, {
    cwd: spec.cwd ?? '/',
    env: spec.env,
    stdio: ['ignore', log, log],
    // Its own group: Ctrl-C in the terminal reaches us alone, and we stop the servers in the right order.
    detached: true,
  });
  closeSync(log);
  const gone = ended(child);
  const server = running(spec, child, gone.promise);
  const deadline = Date.now() + (spec.readyTimeoutMs ?? 20_000);
  for (;;) {
    if (gone.how() !== null) throw new Error(failure(spec, `ended at once (${gone.how()})`));
    if (await spec.ready()) return server;
    if (Date.now() > deadline) {
      await server.stop();
      throw new Error(failure(spec, 'did not come up'));
    }
    await sleep(POLL_MS);
  }
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
 * On Linux the kernel signals the server when we die (`prctl(2)` PR_SET_PDEATHSIG), also after SIGKILL. Elsewhere only
 * an orderly end of ours stops it.
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

function failure(spec: ServerSpec, what: string): string {
  const tail = readFileSync(spec.logFile, 'utf8').trim().split('\n').slice(-15).join('\n  ');
  return `${spec.name} ${what}. The end of ${spec.logFile}:\n  ${tail}`;
}
