import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { inheritedEnvironment } from '../config';

/**
 * Windows has named pipes in place of sockets in folders, and lists of rights in place of modes. Node cannot read these
 * lists: there `makePrivateFolder` is all that sees to them.
 */
export const onWindows = process.platform === 'win32';

export const PIPES = '\\\\.\\pipe\\';

/** @param rights of a mode, such as 0o077; on Windows nothing is known, and nothing is said */
export const grants = (file: string, rights: number): boolean =>
  !onWindows && (statSync(file).mode & rights) !== 0;

/**
 * Of ours alone when it was not there before; on Windows of LocalSystem and the administrators.
 * @returns whether it was made
 */
export function makePrivateFolder(dir: string): boolean {
  const made = mkdirSync(dir, { recursive: true, mode: 0o700 }) !== undefined;
  if (!onWindows || !made) return made;
  const { SystemRoot = 'C:\\Windows' } = inheritedEnvironment();
  // By their numbers: their names are translated.
  const owners = ['*S-1-5-18:(OI)(CI)F', '*S-1-5-32-544:(OI)(CI)F'];
  execFileSync(path.join(SystemRoot, 'System32', 'icacls.exe'), [
    ...[dir, '/inheritance:r', '/grant:r'],
    ...owners,
  ]);
  return made;
}

/** Where a process listens as long as it has the folder. */
export const lockOf = (dir: string): string =>
  onWindows
    ? `${PIPES}lockstep-${createHash('sha256').update(path.resolve(dir).toLowerCase()).digest('hex')}`
    : path.join(dir, 'lock');
