import { spawn } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import path from 'node:path';
import { inheritedEnvironment, Misconfigured } from '../../config';
import type { Secret } from '../../model/passwords/secret';
import { zeroableBytes } from '../../model/passwords/zeroable';

/** The programs of a domain controller, with their paths. */
export interface Tools {
  readonly sambaTool: string;
  /** That of samba-tool: only it is sure to find Samba's own modules. */
  readonly python: string;
  /** Null where there is none: hashes need none. */
  readonly gpg: string | null;
}

/** @throws Misconfigured when this is no machine where Samba can be administered */
export function findTools(): Tools {
  if (process.getuid?.() !== 0)
    throw new Misconfigured('Run it as root: Samba shows passwords to nobody else');
  const sambaTool = inPath('samba-tool');
  if (sambaTool === null)
    throw new Misconfigured(
      'There is no samba-tool here: run it on a domain controller of Samba, with its tools installed',
    );
  return { sambaTool, python: interpreterOf(sambaTool), gpg: inPath('gpg') };
}

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

/** In a group of their own: Ctrl-C reaches us alone, and we undo what is half done. */
const limits = { timeout: 120_000, killSignal: 'SIGKILL', detached: true } as const;

/** Runs a program to its end, in English. @throws Misconfigured when it takes longer than two minutes */
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
    const own = zeroableBytes(lent.length);
    lent.copy(own);
    return own;
  });
  // A program that has ended reads nothing; its exit code says more.
  child.stdin.on('error', () => {});
  child.stdin.end(bytes);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code === null)
      throw new Misconfigured(`${path.basename(command)} did not end within two minutes`);
    return { code, ...printed };
  } finally {
    bytes?.fill(0);
  }
}

/** @returns the exit code. What it prints is not waited for: a server that it leaves behind may hold on to it. */
export const runShell = (command: string): Promise<number | null> =>
  new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', command], { ...limits, stdio: 'ignore' });
    child.once('error', reject);
    child.once('exit', resolve);
  });

/** What a program said last: it holds the reason. */
export const lastLine = ({ stdout, stderr }: Ran): string =>
  (stderr.trim() || stdout.trim()).split('\n').at(-1) ?? '';
