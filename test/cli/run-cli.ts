import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { inheritedEnvironment } from '../../config';
import type { TestApi } from '../support/api';
import { until } from '../support/until';

/** Runs the command line as a process of its own, as an operator does. */

const root = path.resolve(__dirname, '../..');
const COMMAND = [
  '-r',
  path.join(root, 'test/support/typescript.cjs'),
  path.join(root, 'cli/main.ts'),
];

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | Buffer;
  readonly cwd?: string;
  /** What happens while the command runs. */
  readonly during?: (running: Running) => Promise<void>;
}

export interface Running {
  readonly pid: number;
  /** Everything that was printed so far to stdout and stderr. */
  printed(): string;
  over(): boolean;
  type(keys: string | Buffer): void;
  interrupt(): void;
}

/** Runs `lockstep` with these arguments until it ends. */
export const lockstep = (args: readonly string[], options: RunOptions = {}): Promise<Ended> =>
  runProcess(process.execPath, [...COMMAND, ...args], options);

/** Runs `lockstep` with the address and the admin key of a test API. */
export const lockstepAt =
  (api: () => TestApi) =>
  (args: readonly string[], options: RunOptions = {}): Promise<Ended> =>
    lockstep(args, { ...options, env: { ...connectionTo(api()), ...options.env } });

/** The environment variables with the address and the admin key of a test API. */
export const connectionTo = ({ url, dir }: TestApi): Record<string, string> => ({
  LOCKSTEP_URL: url,
  LOCKSTEP_API_KEY_FILE: path.join(dir, 'admin-key'),
});

async function runProcess(
  command: string,
  args: readonly string[],
  { env, stdin = '', cwd, during }: RunOptions,
): Promise<Ended> {
  const child = spawn(command, args, { cwd, env: { ...inheritedEnvironment(), ...env } });
  const printed = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => {
    printed.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    printed.stderr += text;
  });
  child.stdin.on('error', () => {});
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  if (during === undefined) child.stdin.end(stdin);
  else await runDuring(child, printed, stdin, during);
  return { code: await ended, ...printed };
}

async function runDuring(
  child: ChildProcess,
  printed: { readonly stdout: string; readonly stderr: string },
  stdin: string | Buffer,
  during: (running: Running) => Promise<void>,
): Promise<void> {
  if (stdin !== '') child.stdin?.end(stdin);
  try {
    await during({
      pid: child.pid ?? 0,
      printed: () => printed.stdout + printed.stderr,
      over: () => child.exitCode !== null,
      type: (keys) => child.stdin?.write(keys),
      interrupt: () => child.kill('SIGINT'),
    });
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

/** Runs `lockstep` at a terminal of this width, with `script` of util-linux. What the terminal shows is `stdout`. */
export function lockstepAtTerminal(
  args: readonly string[],
  { columns = 80, ...options }: RunOptions & { readonly columns?: number },
): Promise<Ended> {
  const words = [process.execPath, ...COMMAND, ...args].map((word) => `'${word}'`).join(' ');
  const line = `stty cols ${columns} rows 24; exec ${words}`;
  return runProcess('script', ['-qec', line, '/dev/null'], options);
}

export const hasScript = ((): boolean => {
  try {
    return readFileSync('/usr/bin/script').length > 0;
  } catch {
    return false;
  }
})();

/** Waits until the process has printed the text. @throws Error if it ends before */
export const shown = (running: Running, text: string): Promise<void> =>
  until(() => {
    if (running.printed().includes(text)) return true;
    if (running.over()) throw new Error(`It ended without "${text}": ${running.printed()}`);
    return false;
  });
