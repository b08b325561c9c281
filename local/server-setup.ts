import { chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { isRoot, NOBODY, reachableByNobody } from './places';

/**
 * The folder of a server that runs as the user nobody when we are root. It is made when it is missing.
 * @throws Error when that user cannot enter it; `serverDir` names a folder that it can enter
 */
export function openServerDir(dir: string): string {
  const full = path.resolve(dir);
  mkdirSync(full, { recursive: true });
  if (isRoot && !reachableByNobody(full))
    throw new Error(
      `As root, we start servers as the user nobody, and that user cannot enter ${full}`,
    );
  return full;
}

export function giveToServer(file: string): void {
  if (isRoot) chownSync(file, NOBODY.uid, NOBODY.gid);
}

/** The folders with shared libraries of Debian packages that were unpacked into `root`, as in LD_LIBRARY_PATH. */
export function librariesIn(root: string): string {
  return ['lib', 'usr/lib']
    .map((dir) => path.join(root, dir))
    .filter((dir) => existsSync(dir))
    .flatMap((dir) => readdirSync(dir).map((name) => path.join(dir, name)))
    .filter((dir) => dir.endsWith('-linux-gnu'))
    .join(':');
}

/**
 * The whole environment of a server or of its tools. It has no variable of ours, so that neither PG…, LDAP…, MYSQL_… or
 * SMB_CONF_PATH nor a locale changes what they do. LDAPNOINIT keeps libldap, which several of them load, from the
 * ldap.conf of the machine (ldap.conf(5)).
 * @param libraryPath of unpacked packages, or null
 */
export const serverEnvironment = (libraryPath: string | null): NodeJS.ProcessEnv => ({
  LC_ALL: 'C',
  TZ: 'UTC',
  LDAPNOINIT: '1',
  ...(libraryPath === null ? {} : { LD_LIBRARY_PATH: libraryPath }),
});
