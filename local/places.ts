import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { environment } from '../config';

/** The user as which servers run when we are root: some refuse to run as root (PostgreSQL, MariaDB), none needs it but Samba. */
export const NOBODY = { uid: 65534, gid: 65534 } as const;

export const isRoot = process.getuid?.() === 0;

/** The folder for downloads, which the clones on this machine share. */
export function cacheDir(): string {
  const dir =
    environment.LOCKSTEP_CACHE_DIR ??
    // The user nobody cannot enter /root.
    (isRoot ? '/var/cache/lockstep' : path.join(os.homedir(), '.cache', 'lockstep'));
  mkdirSync(dir, { recursive: true });
  return dir;
}

/**
 * The folder of a server: below `stateDir` or, when we are root and the user nobody cannot enter that one, in a folder of
 * the machine that belongs to this `stateDir` alone.
 */
export function serverDir(stateDir: string, name: string): string {
  const wanted = path.resolve(stateDir, name);
  if (!isRoot || reachableByNobody(wanted)) return wanted;
  const clone = createHash('sha256').update(path.resolve(stateDir)).digest('hex').slice(0, 12);
  return path.join('/var/tmp', `lockstep-${clone}`, name);
}

export function reachableByNobody(target: string): boolean {
  for (let dir = path.resolve(target); ; dir = path.dirname(dir)) {
    if (existsSync(dir) && (statSync(dir).mode & 0o001) === 0) return false;
    if (dir === path.dirname(dir)) return true;
  }
}

/** The folder of the secrets of the sources, which is that of `${file:…}`. */
export const secretsDir = (stateDir: string): string => path.resolve(stateDir, 'secrets');
