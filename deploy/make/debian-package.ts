import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Report } from '../../local/debian';
import { release } from '../../release';
import { HOME, stageApplication } from './stage';
import { run } from './tools';

const LAUNCHER = `#!/bin/sh
# The command line of Lockstep.
exec /${HOME}/bin/node --enable-source-maps /${HOME}/dist/cli/main.js "$@"
`;

/**
 * Builds the Debian package of this release.
 * @param clone root of a clone that is built
 * @returns path of the package in `outDir`
 */
export async function buildDebianPackage(
  clone: string,
  outDir: string,
  report: Report,
): Promise<string> {
  const root = mkdtempSync(path.join(os.tmpdir(), 'lockstep-deb-'));
  try {
    chmodSync(root, 0o755);
    await stageApplication(clone, root, report);
    addSystemFiles(clone, root);
    await addControl(clone, root);
    const file = path.join(outDir, `lockstep_${release()}_${architecture()}.deb`);
    report('building the Debian package');
    await run('dpkg-deb', ['--root-owner-group', '-Zgzip', '-z1', '--build', root, file]);
    return file;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

export const architecture = (): string => (process.arch === 'arm64' ? 'arm64' : 'amd64');

function addSystemFiles(clone: string, root: string): void {
  const place = (from: string, to: string, mode: number) => {
    const target = path.join(root, to);
    mkdirSync(path.dirname(target), { recursive: true });
    cpSync(path.join(clone, from), target);
    chmodSync(target, mode);
  };
  for (const kind of ['api', 'worker', 'lookup']) {
    const unit = `lockstep-${kind}.service`;
    place(`deploy/systemd/${unit}`, `usr/lib/systemd/system/${unit}`, 0o644);
    place(`deploy/etc/${kind}.env`, `etc/lockstep/${kind}.env`, 0o640);
  }
  const bound = 'lockstep-worker@.service';
  place(`deploy/systemd/${bound}`, `usr/lib/systemd/system/${bound}`, 0o644);
  const example = 'isolated-worker.env';
  place(`deploy/etc/${example}`, `usr/share/doc/lockstep/examples/${example}`, 0o644);
  place('LICENSE', 'usr/share/doc/lockstep/copyright', 0o644);
  place('CHANGELOG.md', 'usr/share/doc/lockstep/CHANGELOG.md', 0o644);
  cpSync(path.join(clone, 'docs'), path.join(root, 'usr/share/doc/lockstep'), { recursive: true });
  const launcher = path.join(root, 'usr/bin/lockstep');
  mkdirSync(path.dirname(launcher), { recursive: true });
  writeFileSync(launcher, LAUNCHER);
  chmodSync(launcher, 0o755);
}

async function addControl(clone: string, root: string): Promise<void> {
  const target = path.join(root, 'DEBIAN');
  mkdirSync(target);
  const kib = (await run('du', ['-sk', '--apparent-size', root])).split('\t')[0] ?? '0';
  const values = { VERSION: release(), ARCHITECTURE: architecture(), SIZE: kib };
  for (const name of ['control', 'conffiles', 'postinst', 'prerm', 'postrm']) {
    const text = readFileSync(path.join(clone, 'deploy/debian', name), 'utf8');
    const filled = Object.entries(values).reduce(
      (done, [key, value]) => done.replace(`@${key}@`, value),
      text,
    );
    writeFileSync(path.join(target, name), filled);
    chmodSync(path.join(target, name), /inst|rm$/.test(name) ? 0o755 : 0o644);
  }
}
