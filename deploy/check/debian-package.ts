import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { cacheDir } from '../../local/places';
import { freePort } from '../../local/ports';
import type { RunningServer } from '../../local/processes';
import { buildDebianPackage } from '../make/debian-package';
import { isInstalled, run } from '../make/tools';
import { type Company, startCompany } from './company';
import { changePasswords, startProcess } from './lockstep';
import { lookUpCredential, lookupRole } from './lookup-service';
import { type Check, type Context, must, Skipped } from './report';
import { readEnvironmentFile, readUnit, type Unit, withVariables } from './unit-file';

const SUITE = 'bookworm';
const MIRROR = 'http://deb.debian.org/debian';

/** Paths in the file system of the package. */
const DB_CA = '/etc/lockstep/db-ca.pem';
const LDAP_CA = '/etc/lockstep/ldap-ca.pem';
const SECRETS = '/etc/lockstep/secrets';

export const debianPackage: Check = {
  name: 'deb',
  title: 'the Debian package installs, runs as its units describe, and its doctor finds no fault',
  async run(context) {
    if (process.getuid?.() !== 0) throw new Skipped('chroot needs root');
    for (const program of ['debootstrap', 'dpkg-deb'])
      if (!(await isInstalled(program))) throw new Skipped(`${program} is not installed`);
    const file = await buildDebianPackage(context.clone, context.outDir, context.report);
    const root = path.join(context.workDir, 'debian');
    await installIn(root, file, context);
    const found = [
      `${path.basename(file)} has ${Math.round(statSync(file).size / 2 ** 20)} MiB`,
      ...(await ownership(root)),
    ];
    const company = await startCompany(
      { ...context, workDir: path.join(context.workDir, 'company') },
      'development',
      10,
    );
    // The engine client reads /proc, as any process on a machine can.
    await run('mount', ['-t', 'proc', 'proc', path.join(root, 'proc')]);
    try {
      found.push(...(await runInstalled(root, company, context)));
    } finally {
      await run('umount', [path.join(root, 'proc')]);
      await company.stop();
    }
    await run('chroot', [root, 'dpkg', '--purge', 'lockstep']);
    must(existsSync(path.join(root, 'var/lib/lockstep/worker/keys')), 'a purge removed the keys');
    return [...found, 'a purge removes the package and keeps the private keys'];
  },
};

/** A minimal Debian, which debootstrap makes once for each machine, with the package installed. */
async function installIn(root: string, deb: string, { report }: Context): Promise<void> {
  const archive = path.join(cacheDir(), `deploy-${SUITE}.tar`);
  if (!existsSync(archive)) {
    report('making a minimal Debian with debootstrap');
    const made = `${root}-made`;
    await run('debootstrap', ['--variant=minbase', SUITE, made, MIRROR]);
    await run('tar', ['-cf', `${archive}.new`, '-C', made, '.']);
    renameSync(`${archive}.new`, archive);
    rmSync(made, { recursive: true });
  }
  mkdirSync(root, { recursive: true });
  await run('tar', ['-xf', archive, '-C', root]);
  report('installing the package there');
  copyFileSync(deb, path.join(root, 'tmp/lockstep.deb'));
  await run('chroot', [root, 'dpkg', '-i', '/tmp/lockstep.deb']);
}

/** Checks who owns what, as the chroot names the users. */
async function ownership(root: string): Promise<string[]> {
  const expected = {
    '/etc/lockstep/api.env': 'root lockstep-api 640',
    '/etc/lockstep/worker.env': 'root lockstep-worker 640',
    '/etc/lockstep/lookup.env': 'root lockstep-worker 640',
    '/etc/lockstep/api/fingerprint.key': 'lockstep-api lockstep-api 400',
    '/etc/lockstep/worker/fingerprint.key': 'lockstep-worker lockstep-worker 400',
    '/etc/lockstep/secrets': 'root lockstep-worker 750',
    '/etc/lockstep/sources': 'root lockstep-worker 750',
    '/var/lib/lockstep/api': 'lockstep-api lockstep-api 700',
    '/var/lib/lockstep/worker': 'lockstep-worker lockstep-worker 700',
    '/usr/lib/lockstep/dist/api/main.js': 'root root 644',
  };
  for (const [file, wanted] of Object.entries(expected)) {
    const actual = (await run('chroot', [root, 'stat', '-c', '%U %G %a', file])).trim();
    must(actual === wanted, `${file} is ${actual}, not ${wanted}`);
  }
  return ['it has its own users, and only root and the worker can read the keys and secrets'];
}

async function runInstalled(root: string, company: Company, context: Context): Promise<string[]> {
  const inRoot = (file: string) => path.join(root, file);
  giveFiles(inRoot, company);
  const running: RunningServer[] = [];
  /** Writes the settings of a unit into its environment file, and starts it. @returns the port of the process */
  const start = async (kind: 'api' | 'worker' | 'lookup', values: Record<string, string>) => {
    const [port, opsPort] = [await freePort(), await freePort()];
    const own = kind === 'worker' ? {} : { [`LOCKSTEP_${kind.toUpperCase()}_PORT`]: `${port}` };
    configure(inRoot(`/etc/lockstep/${kind}.env`), {
      ...own,
      [`LOCKSTEP_${kind.toUpperCase()}_OPS_PORT`]: `${opsPort}`,
      ...values,
    });
    running.unshift(await startUnit(root, `lockstep-${kind}`, opsPort, context));
    return port;
  };
  try {
    const DATABASE_URL = withCa(company.databaseUrl);
    await start('worker', { DATABASE_URL, TEMPORAL_ADDRESS: company.temporalAddress });
    const apiUrl = `http://127.0.0.1:${await start('api', { DATABASE_URL })}`;
    const adminKeyFile = '/var/lib/lockstep/api/admin-key';
    const api = { apiUrl, adminKeyFile: inRoot(adminKeyFile) };
    const secretFiles = { corp: `${SECRETS}/corp`, apps: `${SECRETS}/apps` };
    const changes = await changePasswords(company, api, { caFile: LDAP_CA, secretFiles });
    const lookupPort = await start('lookup', {
      LOCKSTEP_LOOKUP_DATABASE_URL: withCa(await lookupRole(company.databaseUrl)),
    });
    const lookedUp = await lookUpCredential(company, api, `http://127.0.0.1:${lookupPort}`);
    const cli = ['--url', apiUrl, '--key-file', adminKeyFile];
    const doctor = await run('chroot', [root, 'lockstep', ...cli, 'doctor']);
    const version = (await run('chroot', [root, 'lockstep', '--version'])).trim();
    return [
      `api, worker and lookup service run as the users of their units; ${changes} changes reached all five accounts`,
      ...lookedUp,
      `lockstep doctor passes (${doctor.trim().split('\n').length} lines); lockstep --version prints ${version}`,
    ];
  } finally {
    for (const server of running) await server.stop();
  }
}

function withCa(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  url.searchParams.set('sslrootcert', DB_CA);
  return url.href;
}

function giveFiles(inRoot: (file: string) => string, { postgres, slapd, secretFiles }: Company) {
  copyFileSync(postgres.caFile, inRoot(DB_CA));
  copyFileSync(slapd.caFile, inRoot(LDAP_CA));
  for (const file of [DB_CA, LDAP_CA]) chmodSync(inRoot(file), 0o644);
  const { gid } = statSync(inRoot(SECRETS));
  for (const [source, file] of Object.entries(secretFiles)) {
    const target = inRoot(`${SECRETS}/${source}`);
    copyFileSync(file, target);
    chownSync(target, 0, gid);
    chmodSync(target, 0o640);
  }
}

function configure(file: string, values: Readonly<Record<string, string>>): void {
  writeFileSync(file, withVariables(readFileSync(file, 'utf8'), values));
}

/** Starts the process of a unit as systemd would: its user, environment file and commands. */
async function startUnit(root: string, name: string, opsPort: number, { workDir }: Context) {
  const unit: Unit = readUnit(path.join(root, `usr/lib/systemd/system/${name}.service`));
  const env = readEnvironmentFile(readFileSync(path.join(root, unit.environmentFile), 'utf8'));
  const asUser = [`--userspec=${unit.user}:${unit.user}`, root];
  const server = await startProcess({
    name,
    command: 'chroot',
    args: [...asUser, ...unit.start],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...env },
    logFile: path.join(workDir, `${name}.log`),
    opsPort,
  });
  for (const command of unit.startPost) await run('chroot', [...asUser, ...command]);
  return server;
}
