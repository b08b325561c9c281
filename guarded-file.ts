import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  realpathSync,
  type Stats,
} from 'node:fs';
import path from 'node:path';
import { Misconfigured, ownPaths } from './config';
import { zeroableBytes } from './model/passwords/zeroable';

/**
 * Files that the configuration names. An API key can change the configuration, so a name that it contains may lead to
 * no other file than the operator of the process intends.
 */
export interface FileFolder {
  readonly dir: string;
  /** The variable by which the operator chooses the folder, for messages. */
  readonly variable: string;
}

/** Whether a path is below a folder, by its text. The folder itself is not. */
export const isBelow = (folder: string, file: string): boolean =>
  path.resolve(file).startsWith(path.join(path.resolve(folder), path.sep));

/**
 * Returns the real path of a file in a folder. A symbolic link counts as the file that it leads to.
 * @param name relative to the folder, or absolute
 * @throws Misconfigured when the file is not in the folder, or is a file of Lockstep itself, or cannot be found
 */
export function fileInside({ dir, variable }: FileFolder, name: string): string {
  const shown = JSON.stringify(name);
  // Without this check first, the error would reveal which files exist outside the folder.
  if (name.includes('\0') || !isBelow(dir, path.resolve(dir, name)))
    throw new Misconfigured(
      `${shown} is not in ${dir}. Put the file there, or set ${variable} to its folder.`,
    );
  const folder = found(dir, `The folder ${dir}`, `Create it, or set ${variable}.`);
  if (isOfSystem(folder))
    throw new Misconfigured(
      `${dir} is a folder of the system. Set ${variable} to one that holds only these files.`,
    );
  const file = found(path.resolve(dir, name), `${shown} in ${dir}`, 'Create it, or correct it.');
  if (!isBelow(folder, file))
    throw new Misconfigured(
      `${shown} leads out of ${dir} by a symbolic link. Put the file itself there.`,
    );
  if (ownPaths().some((own) => isSameOrBelow(own, file)))
    throw new Misconfigured(
      `${shown} is a file of Lockstep itself. Set ${variable} to a folder without such files.`,
    );
  return file;
}

/**
 * Reads a file of a folder.
 * @throws Misconfigured as `fileInside` and `readRegular` do
 */
export function readInside(folder: FileFolder, name: string, maxBytes: number): Buffer {
  try {
    return readRegular(fileInside(folder, name), maxBytes);
  } catch {
    // Kubernetes replaces the folder of a mounted secret in one step, which may happen between the two calls.
    return readRegular(fileInside(folder, name), maxBytes);
  }
}

/**
 * Reads a regular file of a limited size. A device or a pipe could block the process or never end.
 * @throws Misconfigured when it is not such a file, or cannot be read. The message does not contain its content.
 */
export function readRegular(name: string, maxBytes: number): Buffer {
  const file = found(name, name, 'Correct the path.');
  if (isOfSystem(file)) throw new Misconfigured(`${name} is a file of the system.`);
  // O_NOFOLLOW: `file` is a real path, so a link there has been put in its place since.
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_NOCTTY = 0 } = constants;
  refuseSpecial(name, lstatSync(file));
  const descriptor = opened(name, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  try {
    const stats = fstatSync(descriptor);
    refuseSpecial(name, stats);
    if (realpathSync(file) !== file || lstatSync(file).ino !== stats.ino) throw replaced(name);
    if (stats.size > maxBytes)
      throw new Misconfigured(`${name} is larger than ${maxBytes} bytes. Correct the path.`);
    return contentOf(name, descriptor, stats.size);
  } finally {
    closeSync(descriptor);
  }
}

/** Reads one byte more than the size, because a file that has grown since would be cut. */
function contentOf(name: string, descriptor: number, size: number): Buffer {
  const content = zeroableBytes(size + 1);
  let length = 0;
  for (;;) {
    const read = readSync(descriptor, content, length, content.length - length, null);
    length += read;
    if (read === 0 || length > size) break;
  }
  if (length <= size) return content.subarray(0, length);
  content.fill(0);
  throw replaced(name);
}

const replaced = (name: string) =>
  new Misconfigured(`${name} was replaced while it was read. Try again.`);

function refuseSpecial(name: string, stats: Stats): void {
  if (!stats.isFile()) throw new Misconfigured(`${name} is not a regular file. Correct the path.`);
}

/** The real path. @throws Misconfigured that begins with `what` and ends with `advice` */
function found(file: string, what: string, advice: string): string {
  try {
    return realpathSync(file);
  } catch (error) {
    throw unreadable(error, what, advice);
  }
}

function opened(name: string, file: string, flags: number): number {
  try {
    return openSync(file, flags);
  } catch (error) {
    throw unreadable(error, name, 'Correct the path.');
  }
}

function unreadable(error: unknown, what: string, advice: string): Misconfigured {
  const { code = 'unknown' } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return new Misconfigured(`${what} does not exist. ${advice}`);
  return new Misconfigured(
    `${what} cannot be read by this process (${code}). Let its user read it, or correct the path.`,
  );
}

/** Folders whose files are not stored content, or belong to the system. Folders below /etc are allowed, /etc is not. */
const isOfSystem = (real: string): boolean =>
  ['/proc', '/sys', '/dev'].some((root) => isSameOrBelow(root, real)) ||
  ['/', '/etc'].includes(real);

/** Compares real paths where they exist. */
function isSameOrBelow(folder: string, file: string): boolean {
  const real = realOrItself(folder);
  return real === file || isBelow(real, file);
}

function realOrItself(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return path.resolve(file);
  }
}
