import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { inheritedEnvironment } from '../config';
import { cacheDir } from './places';

const run = promisify(execFile);

export type Report = (line: string) => void;

export const onDebian = (): boolean =>
  existsSync('/usr/bin/apt-get') && existsSync('/usr/bin/dpkg');

/**
 * Unpacks Debian packages into a folder of the cache, once. It installs nothing, starts no service and needs no rights.
 * @returns the folder that stands for `/`
 * @throws Error with the message of apt when a package is not available
 */
export async function unpackedDebs(
  name: string,
  packages: readonly string[],
  report: Report,
): Promise<string> {
  const version = createHash('sha256').update(packages.join(' ')).digest('hex').slice(0, 12);
  const root = path.join(cacheDir(), 'debian', `${name}-${version}`);
  if (existsSync(root)) return root;
  report(`fetching ${name} (Debian packages, unpacked into the cache, nothing is installed)`);
  mkdirSync(path.dirname(root), { recursive: true });
  const work = mkdtempSync(path.join(path.dirname(root), `.${name}-`));
  try {
    // mkdtemp makes a private folder, and servers that run as the user nobody read from it.
    chmodSync(work, 0o755);
    await download(packages, work);
    const unpacked = path.join(work, 'root');
    for (const deb of readdirSync(work).filter((file) => file.endsWith('.deb')))
      await run('dpkg-deb', ['-x', path.join(work, deb), unpacked]);
    chmodSync(unpacked, 0o755);
    moveIntoPlace(unpacked, root);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return root;
}

/** Another clone may have finished first, with the same content. */
function moveIntoPlace(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}

async function download(packages: readonly string[], into: string): Promise<void> {
  try {
    await apt([], ['download', ...packages], into);
  } catch {
    // This machine has no package lists, or outdated ones. Fetch lists into our folder, not into those of the machine.
    const lists = path.join(into, 'apt');
    mkdirSync(path.join(lists, 'lists', 'partial'), { recursive: true });
    mkdirSync(path.join(lists, 'cache', 'archives', 'partial'), { recursive: true });
    const own = [`Dir::State::Lists=${lists}/lists`, `Dir::Cache=${lists}/cache`];
    await apt(own, ['update', '-q'], into);
    await apt(own, ['download', ...packages], into);
  }
}

async function apt(
  options: readonly string[],
  command: readonly string[],
  cwd: string,
): Promise<void> {
  const flags = ['APT::Sandbox::User=root', ...options].flatMap((option) => ['-o', option]);
  try {
    await run('apt-get', ['-qq', ...flags, ...command], {
      cwd,
      env: { ...inheritedEnvironment(), LC_ALL: 'C' },
      maxBuffer: 1 << 24,
    });
  } catch (error) {
    const printed = (error as { stderr?: string }).stderr?.trim();
    throw new Error(`apt-get ${command[0]}: ${printed || String(error)}`);
  }
}
