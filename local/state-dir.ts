import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isRoot, serverDir } from './places';

/** The folder with everything of a clone that stays between two starts. One launcher holds it at a time. */
export interface StateDir {
  readonly dir: string;
  release(): void;
}

/** @throws Error with what to do when another launcher holds it */
export function holdStateDir(dir: string): StateDir {
  mkdirSync(dir, { recursive: true });
  const file = path.join(dir, 'up.pid');
  const holder = holderOf(file);
  if (holder !== null)
    throw new Error(
      `Lockstep is up already (process ${holder}). Stop it with Ctrl-C there, or use it: ./lockstep changes`,
    );
  writeFileSync(file, String(process.pid));
  return { dir, release: () => rmSync(file, { force: true }) };
}

/** Removes everything that earlier starts left. */
export function emptyStateDir(dir: string): void {
  const kept = new Set(['up.pid']);
  for (const name of readdirSync(dir).filter((entry) => !kept.has(entry)))
    rmSync(path.join(dir, name), { recursive: true, force: true });
  const elsewhere = path.dirname(serverDir(dir, 'any'));
  if (isRoot && elsewhere !== path.resolve(dir))
    rmSync(elsewhere, { recursive: true, force: true });
}

/** Ignores the id of a process that has ended, or that now belongs to another program. */
function holderOf(file: string): number | null {
  if (!existsSync(file)) return null;
  const pid = Number(readFileSync(file, 'utf8'));
  if (pid === process.pid || !Number.isInteger(pid) || pid <= 0) return null;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return null;
  }
  return isNode(pid) ? pid : null;
}

/** The system uses process ids again. Without /proc, any living process counts. */
function isNode(pid: number): boolean {
  const commandLine = `/proc/${pid}/cmdline`;
  return !existsSync('/proc/self/cmdline') || readIfThere(commandLine).includes('node');
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
