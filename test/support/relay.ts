import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { handOver } from '../../capture/hand-over/client';
import type { HandedOver } from '../../capture/hand-over/protocol';
import { type Registration, setUpRelay } from '../../capture/setup';
import { Secret } from '../../model/passwords/secret';
import { until } from './until';

/** The built relay in its own process; the test acts as its source. */
export interface TestRelay {
  readonly id: string;
  readonly dir: string;
  readonly spool: string;
  readonly socket: string;
  /** Starts the process. @param preload modules to load first @param env additional environment */
  start(options?: RelayStart): Promise<void>;
  /** Kills the process with SIGKILL. */
  kill(): Promise<void>;
  stop(): Promise<void>;
  /** Resolves when the process has ended for any reason. */
  ended(): Promise<unknown>;
  running(): boolean;
  handOver(account: string, password: string | Buffer, more?: Partial<HandedOver>): Promise<string>;
  printed(): string;
}

interface RelayStart {
  readonly preload?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const root = path.resolve(__dirname, '../..');

interface Wanted {
  readonly url: string;
  readonly source: string;
  readonly register: (publicKey: unknown) => Promise<Registration>;
  /** Program and first arguments that run the relay; the Node that runs the tests by default. */
  readonly program?: readonly [string, ...string[]];
  /** Settings that replace those of the setup. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

export async function setUpTestRelay(wanted: Wanted): Promise<TestRelay> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-relay-'));
  const config = await setUpRelay({ ...wanted, dir, caFile: null });
  const written = { ...JSON.parse(readFileSync(config, 'utf8')), ...wanted.settings };
  writeFileSync(config, JSON.stringify(written));
  const socket = path.resolve(dir, written.socket);
  const logFiles: string[] = [];
  const read = (file: string) => readFileSync(file, 'utf8');
  let child: ChildProcess | null = null;
  const running = () => child !== null && child.exitCode === null && child.signalCode === null;
  const end = async (signal: NodeJS.Signals) => {
    if (child === null || !running()) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  };
  return {
    id: written.relay,
    dir,
    spool: path.resolve(dir, written.spool),
    socket,
    running,
    async start({ preload = [], env = {} } = {}) {
      const logFile = path.join(dir, `relay-${logFiles.length}.log`);
      logFiles.push(logFile);
      const log = openSync(logFile, 'a', 0o600);
      const [command, ...first] = wanted.program ?? [process.execPath];
      child = spawn(
        command,
        [
          ...first,
          ...preload.flatMap((file) => ['-r', file]),
          ...[path.join(root, 'dist/cli/main.js'), 'relay', 'run', '--config', config],
        ],
        { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', log, log] },
      );
      await until(() => !running() || read(logFile).includes('the relay is up'));
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    ended: async () => until(() => !running()),
    async handOver(account, password, more = {}) {
      const secret = Secret.of(Buffer.from(password));
      const refusal = await handOver(socket, {
        ...{
          account,
          password: secret,
          hashed: false,
          current: null,
          capturedAt: null,
          sequence: null,
        },
        ...more,
      });
      return refusal ?? 'stored';
    },
    printed: () => logFiles.map(read).join(''),
  };
}
