import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { inheritedEnvironment } from '../../config';

const repository = path.resolve(__dirname, '../..');

const COPIED = [
  'console/browser',
  'scripts',
  'package.json',
  'package-lock.json',
  '.npmrc',
  'tsconfig.json',
  'tsconfig.build.json',
];

/** Only the launcher scripts are copied: the TypeScript ones need the rest of the sources. */
const isCopied = (file: string) => !file.endsWith('.ts');

/** A command line that prints its arguments and, when it is asked to end, the signals that reached it. */
const COMMAND = `
const received: string[] = [];
const end = (signal: string) => {
  received.push(signal);
  setTimeout(() => {
    console.log(JSON.stringify({ received }));
    process.exit(0);
  }, 1000);
};
process.on('SIGINT', end);
process.on('SIGTERM', end);
console.log(JSON.stringify({ args: process.argv.slice(2), pid: process.pid }));
if (!process.argv.includes('--once')) setInterval(() => {}, 1000);
`;

const JEST = `
module.exports = {
  testMatch: ['**/*.test.ts'],
  transform: { '\\\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' } } }] },
  modulePathIgnorePatterns: ['<rootDir>/dist'],
};
`;

export interface Clone {
  write(file: string, content: string): void;
  /** Runs npm in the clone, with an empty home and npm settings that leave packages out. */
  npm(...args: string[]): Run;
  /** Kills the processes that a failed test has left running, and removes the clone. */
  discard(): void;
}

export interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves as soon as stdout matches the pattern; rejects if the process ends before. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Makes a clean checkout with the launcher, the lock file and the settings of Lockstep, but only three small source files. */
export function cleanClone(): Clone {
  const home = mkdtempSync(path.join(os.tmpdir(), 'lockstep-home-'));
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lock step-'));
  for (const name of COPIED)
    cpSync(path.join(repository, name), path.join(dir, name), {
      recursive: true,
      filter: isCopied,
    });
  const runs: Run[] = [];
  const clone: Clone = {
    write(file, content) {
      mkdirSync(path.dirname(path.join(dir, file)), { recursive: true });
      writeFileSync(path.join(dir, file), content);
    },
    npm(...args) {
      const run = start('npm', args, dir, { ...hostile, HOME: home });
      runs.push(run);
      return run;
    },
    discard() {
      for (const { child } of runs)
        if (isRunning(child)) process.kill(-(child.pid ?? 0), 'SIGKILL');
      for (const folder of [dir, home]) rmSync(folder, { recursive: true, force: true });
    },
  };
  clone.write('cli/main.ts', COMMAND);
  clone.write('jest.config.js', JEST);
  clone.write('test/one.test.ts', "test('one', () => {});");
  return clone;
}

const isRunning = ({ exitCode, signalCode }: ChildProcess) =>
  exitCode === null && signalCode === null;

const hostile = {
  // What the machine has downloaded before is not downloaded again.
  npm_config_cache: path.join(os.homedir(), '.npm'),
  NODE_ENV: 'production',
  npm_config_ignore_scripts: 'true',
  npm_config_omit: 'dev',
};

/** Starts a process in its own process group, as a terminal does, without the npm environment of this test run. */
export function start(
  command: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Run {
  const environment = Object.entries(inheritedEnvironment()).filter(
    ([name]) => !name.startsWith('npm_'),
  );
  const child = spawn(command, args, {
    cwd,
    env: { ...Object.fromEntries(environment), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const text = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk) => (text.stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk) => (text.stderr += chunk));
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code) => resolve({ code, ...text }));
  });
  const printed = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(text.stdout);
        if (match) resolve(match);
      };
      child.stdout.on('data', look);
      look();
      void ended.then(() =>
        reject(new Error(`ended without ${pattern}:\n${text.stdout}${text.stderr}`)),
      );
    });
  return { child, ended, printed };
}
