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

/** A relay as it is built, a process of its own beside a source that the test plays. */
export interface TestRelay {
  readonly id: string;
  readonly dir: string;
  readonly spool: string;
  readonly socket: string;
  /** @param preload modules to load first @param env of the process */
  start(options?: RelayStart): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  stop(): Promise<void>;
  /** Resolves when the process has ended, whoever ended it. */
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
  /** What runs it, and is told its command line; without it, the Node that runs the tests. */
  readonly program?: readonly [string, ...string[]];
  /** In place of what setup wrote. */
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
      return refusal ?? 'taken';
    },
    printed: () => logFiles.map(read).join(''),
  };
}
