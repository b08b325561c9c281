import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { freePort } from '../../local/ports';
import type { RunningServer } from '../../local/processes';
import { run } from '../make/tools';
import { startProcess } from './lockstep';
import { type Context, must } from './report';
import { readEnvironmentFile, readUnit, type Unit, withVariables } from './unit-file';

/** The worker of an isolated source, from the Debian package. */
export interface BoundUnit {
  readonly server: RunningServer;
  /** Shows which files of Lockstep the process can read. @throws Error if it can read one that it does not need */
  readableFiles(): Promise<string[]>;
}

const EXAMPLE = '/usr/share/doc/lockstep/examples/isolated-worker.env';

/** Folder of the secrets of a source that a bound worker asks. */
export const secretsOf = (source: string): string => `/etc/lockstep/sources/${source}`;

/**
 * Starts the unit `lockstep-worker@SOURCE` as systemd would: its user, its environment file, and the file system as its
 * settings show it to the process.
 * @param root the file system of the package
 * @param secretFile what goes into the folder of its secrets
 */
export async function startBoundUnit(
  root: string,
  source: string,
  { secretFile, ...variables }: { readonly secretFile: string } & Record<string, string>,
  { workDir }: Context,
): Promise<BoundUnit> {
  const inRoot = (file: string) => path.join(root, file);
  giveSecret(inRoot, source, secretFile);
  // Only that of its own source is shown to it.
  giveSecret(inRoot, 'another', secretFile);
  const unit = readUnit(inRoot('usr/lib/systemd/system/lockstep-worker@.service'), source);
  const opsPort = await freePort();
  const settings = withVariables(readFileSync(inRoot(EXAMPLE), 'utf8'), {
    ...variables,
    LOCKSTEP_WORKER_SOURCES: source,
    LOCKSTEP_SECRETS_DIR: secretsOf(source),
    LOCKSTEP_WORKER_OPS_PORT: `${opsPort}`,
  });
  writeFileSync(inRoot(unit.environmentFile), settings, { mode: 0o600 });
  const name = `lockstep-worker@${source}`;
  const asUser = ['chroot', `--userspec=${unit.user}:${unit.user}`, root];
  const server = await startProcess({
    name,
    command: 'unshare',
    args: [
      ...['--mount', '--propagation', 'private', 'sh', '-c', viewOf(unit, root, workDir), name],
      ...[...asUser, ...unit.start],
    ],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...readEnvironmentFile(settings) },
    logFile: path.join(workDir, `${name}.log`),
    opsPort,
  });
  const find = [...asUser, 'find', '/etc/lockstep', '/var/lib/lockstep', '-type', 'f', '-readable'];
  // Folders that the user cannot enter make find fail after it has listed the rest.
  const listed = (command: readonly string[]) =>
    run('sh', ['-c', '"$@" 2>/dev/null || true', 'find', ...command]).then((text) =>
      text.trim().split('\n').sort(),
    );
  return {
    server,
    async readableFiles() {
      const inside = await listed(['nsenter', '--mount', '--target', `${server.pid}`, ...find]);
      const outside = await listed(find);
      const needed =
        /^\/etc\/lockstep\/[\w-]+-ca\.pem$|^\/var\/lib\/lockstep\/worker\/keys\/epochs\//;
      const own = `${secretsOf(source)}/`;
      const others = inside.filter((file) => !needed.test(file) && !file.startsWith(own));
      must(others.length === 0, `the worker of ${source} can read ${others.join(', ')}`);
      must(
        inside.some((file) => file.startsWith(own)),
        `it cannot read the secret of ${source}`,
      );
      for (const hidden of ['/keys/master/', '/etc/lockstep/secrets/', '/sources/another/'])
        must(
          outside.some((file) => file.includes(hidden)),
          `the check is void: nothing is in ${hidden}`,
        );
      return [
        `the worker of the isolated source ${source} can read ${inside.length} files of Lockstep: certificates, keys of epochs, and its secret`,
        `its unit hides ${outside.length - inside.length} files that its user could read, among them the master keys and the secrets of the other sources`,
      ];
    },
  };
}

function giveSecret(inRoot: (file: string) => string, source: string, secretFile: string): void {
  const { gid } = statSync(inRoot('/etc/lockstep/sources'));
  const folder = inRoot(secretsOf(source));
  const target = path.join(folder, source);
  mkdirSync(folder, { mode: 0o750 });
  copyFileSync(secretFile, target);
  for (const place of [folder, target]) chownSync(place, 0, gid);
  chmodSync(target, 0o640);
}

/** A script that makes the mounts of the unit in a namespace of its own, and then becomes the given command. */
function viewOf({ emptied, bound, inaccessible }: Unit, root: string, workDir: string): string {
  const stash = path.join(workDir, 'bound-view');
  const inRoot = (file: string) => path.join(root, file);
  return [
    'set -e',
    `mkdir -p ${stash} && : >${stash}/none && chmod 000 ${stash}/none`,
    ...bound.map((at, n) => `mkdir -p ${stash}/${n} && mount --bind ${inRoot(at)} ${stash}/${n}`),
    ...emptied.map((at) => `mount -t tmpfs -o mode=755 tmpfs ${inRoot(at)}`),
    ...bound.map(
      (at, n) =>
        `mkdir -p ${inRoot(at)} && mount --bind ${stash}/${n} ${inRoot(at)} && mount -o remount,bind,ro ${inRoot(at)}`,
    ),
    ...emptied.map((at) => `mount -o remount,ro ${inRoot(at)}`),
    ...inaccessible
      .map(inRoot)
      .map(
        (at) =>
          `if [ -d ${at} ]; then mount -t tmpfs -o mode=000,ro tmpfs ${at}; elif [ -e ${at} ]; then mount --bind ${stash}/none ${at}; fi`,
      ),
    'exec "$@"',
  ].join('\n');
}
