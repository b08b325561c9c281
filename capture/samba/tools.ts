import { spawn } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import path from 'node:path';
import { inheritedEnvironment, Misconfigured } from '../../config';
import type { Secret } from '../../model/passwords/secret';
import { zeroableBytes } from '../../model/passwords/zeroable';

/** Paths of the programs that a set-up runs on a domain controller. */
export interface Tools {
  readonly sambaTool: string;
  /** The Python of samba-tool: another one may not find Samba's modules. */
  readonly python: string;
  /** Null if GnuPG is not installed; only the form `plaintext` needs it. */
  readonly gpg: string | null;
}

/** Finds the programs. @throws Misconfigured if this process is not root or samba-tool is not installed */
export function findTools(): Tools {
  if (process.getuid?.() !== 0)
    throw new Misconfigured('Run this as root: Samba reveals passwords to no other user');
  const sambaTool = inPath('samba-tool');
  if (sambaTool === null)
    throw new Misconfigured(
      'samba-tool was not found: run this on a Samba domain controller that has the tools of Samba installed',
    );
  return { sambaTool, python: interpreterOf(sambaTool), gpg: inPath('gpg') };
}

/** The path of a program in PATH; null if it is not there. */
export function inPath(name: string): string | null {
  const folders = (inheritedEnvironment().PATH ?? '').split(path.delimiter);
  return folders.map((folder) => path.join(folder, name)).find(isProgram) ?? null;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const interpreterOf = (script: string): string =>
  /^#! *(\/\S*python\S*)\s/.exec(readFileSync(script, 'latin1'))?.[1] ?? '/usr/bin/python3';

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Programs run in their own process group, so that Ctrl-C reaches only this process, which then undoes unfinished changes. */
const limits = { timeout: 120_000, killSignal: 'SIGKILL', detached: true } as const;

/**
 * Runs a program to its end, with messages in English.
 * @param input secret to write to its stdin
 * @throws Misconfigured if it takes longer than two minutes
 */
export async function runTool(
  command: string,
  args: readonly string[],
  input?: Secret,
): Promise<Ran> {
  const env = { ...inheritedEnvironment(), LC_ALL: 'C' };
  const child = spawn(command, args, { ...limits, env });
  const printed = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      printed[stream] += text;
    });
  const bytes = input?.use((lent) => {
    const copy = zeroableBytes(lent.length);
    lent.copy(copy);
    return copy;
  });
  // A program that exits early does not read its input; its exit code explains more than this error.
  child.stdin.on('error', () => {});
  child.stdin.end(bytes);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code === null)
      throw new Misconfigured(
        `${path.basename(command)} did not end within two minutes: run it by hand to see why`,
      );
    return { code, ...printed };
  } finally {
    bytes?.fill(0);
  }
}

/**
 * Runs a shell command. It does not wait for the command's output to close, because a server that the command starts may keep it
 * open.
 * @returns the exit code; null if it was killed
 */
export const runShell = (command: string): Promise<number | null> =>
  new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', command], { ...limits, stdio: 'ignore' });
    child.once('error', reject);
    child.once('exit', resolve);
  });

/** The last line that a program printed, which usually is the reason of a failure. */
export const lastLine = ({ stdout, stderr }: Ran): string =>
  (stderr.trim() || stdout.trim()).split('\n').at(-1) ?? '';
