import { chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { isRoot, NOBODY, reachableByNobody } from './places';

/**
 * The folder of a server that runs as nobody when we are root, made when it is not there.
 * @throws Error when nobody cannot enter it; `serverDir` names one that he can
 */
export function openServerDir(dir: string): string {
  const full = path.resolve(dir);
  mkdirSync(full, { recursive: true });
  if (isRoot && !reachableByNobody(full))
    throw new Error(`As root, servers are started as nobody, who cannot enter ${full}`);
  return full;
}

export function giveToServer(file: string): void {
  if (isRoot) chownSync(file, NOBODY.uid, NOBODY.gid);
}

/** Where Debian packages that were unpacked into `root` have their shared libraries. */
export function librariesIn(root: string): string {
  return ['lib', 'usr/lib']
    .map((dir) => path.join(root, dir))
    .filter((dir) => existsSync(dir))
    .flatMap((dir) => readdirSync(dir).map((name) => path.join(dir, name)))
    .filter((dir) => dir.endsWith('-linux-gnu'))
    .join(':');
}

/**
 * Nothing of ours, so that neither a variable nor a locale changes how a server behaves.
 * @param libraryPath of unpacked packages, or null
 */
export const serverEnvironment = (libraryPath: string | null): NodeJS.ProcessEnv => ({
  LC_ALL: 'C',
  TZ: 'UTC',
  ...(libraryPath === null ? {} : { LD_LIBRARY_PATH: libraryPath }),
});
