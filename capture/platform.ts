import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { inheritedEnvironment } from '../config';

/**
 * Whether this process runs on Windows, which has named pipes instead of socket files, and access control lists instead of
 * modes. Node cannot read those lists, so `makePrivateFolder` is the only protection of files there.
 */
export const onWindows = process.platform === 'win32';

export const PIPES = '\\\\.\\pipe\\';

/**
 * Whether the mode of a file grants any of the given rights. Always false on Windows, where modes mean nothing.
 * @param rights bits of a mode, such as 0o077
 */
export const grants = (file: string, rights: number): boolean =>
  !onWindows && (statSync(file).mode & rights) !== 0;

/**
 * Creates a folder that only the user of this process may enter; on Windows, only LocalSystem and the administrators. An
 * existing folder is left unchanged.
 * @returns whether the folder was created
 */
export function makePrivateFolder(dir: string): boolean {
  const made = mkdirSync(dir, { recursive: true, mode: 0o700 }) !== undefined;
  if (!onWindows || !made) return made;
  const { SystemRoot = 'C:\\Windows' } = inheritedEnvironment();
  // Well-known SIDs of LocalSystem and the administrators: Windows translates the names of these groups.
  const owners = ['*S-1-5-18:(OI)(CI)F', '*S-1-5-32-544:(OI)(CI)F'];
  execFileSync(path.join(SystemRoot, 'System32', 'icacls.exe'), [
    ...[dir, '/inheritance:r', '/grant:r'],
    ...owners,
  ]);
  return made;
}

/** The socket or pipe on which a process listens while it holds the lock of a folder. */
export const lockOf = (dir: string): string =>
  onWindows
    ? `${PIPES}lockstep-${createHash('sha256').update(path.resolve(dir).toLowerCase()).digest('hex')}`
    : path.join(dir, 'lock');
