import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Report } from '../../local/debian';
import { run } from './tools';

/** Where Lockstep is on a machine and in an image. */
export const HOME = 'usr/lib/lockstep';

/** Parts of the build that only developers use. */
const DEVELOPMENT = ['bench', 'deploy', 'scripts', '.tsbuildinfo', '.lockstep-stamp'];

/**
 * Writes what runs in production below `target/usr/lib/lockstep`: the built code, its packages, and the Node that runs
 * this, because no stable Debian has one that is new enough.
 * @param clone root of a clone that is built
 */
export async function stageApplication(
  clone: string,
  target: string,
  report: Report,
): Promise<void> {
  const home = path.join(target, HOME);
  mkdirSync(path.join(home, 'bin'), { recursive: true });
  const dist = path.join(clone, 'dist');
  const omitted = new Set(DEVELOPMENT.map((name) => path.join(dist, name)));
  cpSync(dist, path.join(home, 'dist'), {
    recursive: true,
    filter: (file) => !omitted.has(file),
  });
  for (const file of ['package.json', 'package-lock.json', '.npmrc', 'LICENSE', 'capture/shims'])
    cpSync(path.join(clone, file), path.join(home, file), { recursive: true });
  cpSync(path.join(clone, 'deploy/place-file.mjs'), path.join(home, 'deploy/place-file.mjs'));
  report('installing the packages that run in production');
  await run('npm', ['ci', '--omit=dev', '--ignore-scripts'], { cwd: home });
  keepPlatform(path.join(home, 'node_modules/@temporalio/core-bridge/releases'));
  const node = path.join(home, 'bin/node');
  cpSync(process.execPath, node, { dereference: true });
  chmodSync(node, 0o755);
}

/** Removes the engine clients of other platforms, 200 MB. */
function keepPlatform(releases: string): void {
  if (!existsSync(releases)) throw new Error(`${releases} is missing: the package has changed`);
  const arch = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  const kept = readdirSync(releases).filter((name) => name === `${arch}-unknown-linux-gnu`);
  if (kept.length === 0) throw new Error(`${releases} has no release for ${arch} Linux`);
  for (const name of readdirSync(releases))
    if (!kept.includes(name)) rmSync(path.join(releases, name), { recursive: true });
}
