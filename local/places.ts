import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { environment } from '../config';

/** Servers that refuse to run as root (PostgreSQL, MariaDB) run as nobody when we are root; so does slapd. */
export const NOBODY = { uid: 65534, gid: 65534 } as const;

export const isRoot = process.getuid?.() === 0;

/** Downloads that every clone on this machine can share. */
export function cacheDir(): string {
  const dir =
    environment.LOCKSTEP_CACHE_DIR ??
    // Nobody cannot look into /root.
    (isRoot ? '/var/cache/lockstep' : path.join(os.homedir(), '.cache', 'lockstep'));
  mkdirSync(dir, { recursive: true });
  return dir;
}

/**
 * Where a server may keep its files: below `stateDir`, or, when we are root in a folder that nobody cannot enter, in
 * a folder of the machine that belongs to this `stateDir` alone.
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
