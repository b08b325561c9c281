import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { inheritedEnvironment } from '../config';
import { Secret } from '../model/passwords/secret';
import { type Certificates, certificatesIn } from './certificates';
import { onDebian, type Report } from './debian';
import { isRoot } from './places';
import { isFree } from './ports';
import { type RunningServer, startServer } from './processes';
import type { Listener } from './proofs';
import { serverEnvironment } from './server-setup';
import { keepRunning } from './supervise';

const run = promisify(execFile);

export interface SambaOptions {
  /** Holds the domain from one start to the next. */
  readonly dir: string;
  /** A loopback address of its own, because the ports of a domain controller are fixed. See `freeLoopback`. */
  readonly address: string;
  /** `ad.example.test` */
  readonly realm: string;
  /** Further lines of smb.conf(5). */
  readonly settings?: readonly string[];
  /** Further variables of the server. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Samba extends RunningServer {
  readonly url: string;
  readonly caFile: string;
  /** The name in its certificate. */
  readonly serverName: string;
  /** `DC=ad,DC=example,DC=test` */
  readonly base: string;
  readonly adminDn: string;
  readonly adminPassword: () => Secret;
  /** Reads smb.conf(5) again. */
  restart(): Promise<void>;
}

/** A domain controller that is started again when it ends. */
export type KeptSamba = Omit<Samba, 'restart'>;

const HOST = 'dc1';
const LDAPS_PORT = 636;
/** LDAP, and LDAP and LDAPS of the global catalog. */
const FURTHER_PORTS = [389, 3268, 3269];

/**
 * A real Active Directory domain controller (Samba) on loopback, which accepts logins over TLS only. It needs root and a
 * Samba: see `installSamba`. The first start makes the domain, which takes about five seconds.
 */
export async function startSamba(options: SambaOptions): Promise<Samba> {
  const { dir, address, realm, settings = [], env = {} } = options;
  const place = path.resolve(dir);
  if (place.length > LONGEST_DIR)
    throw new Error(`${place} is too long for the sockets of Samba (${LONGEST_DIR} characters)`);
  const serverName = `${HOST}.${realm}`;
  await provision(place, realm, address);
  const certificates = await certificatesIn(path.join(place, 'tls'), [serverName]);
  const configFile = path.join(place, 'smb.conf');
  writeFileSync(configFile, configuration(place, address, realm, certificates, settings));
  const start = () =>
    startServer({
      name: 'samba',
      command: SAMBA,
      // One process, so that no child outlives it.
      args: ['--foreground', '--no-process-group', '--model=single', `--configfile=${configFile}`],
      env: { ...serverEnvironment(null), ...env },
      logFile: path.join(place, 'samba.log'),
      stopSignal: 'SIGTERM',
      listeners: listenersOf(address, certificates.caFile),
    });
  let server = await start();
  const base = `DC=${realm.split('.').join(',DC=')}`;
  return {
    name: server.name,
    get pid() {
      return server.pid;
    },
    get exited() {
      return server.exited;
    },
    stop: () => server.stop(),
    async restart() {
      await server.stop();
      server = await start();
    },
    url: `ldaps://${address}:${LDAPS_PORT}`,
    caFile: certificates.caFile,
    serverName,
    base,
    adminDn: `CN=Administrator,CN=Users,${base}`,
    adminPassword: () => Secret.of(readFileSync(path.join(place, ADMIN_PASSWORD))),
  };
}

/** Starts a domain controller, and starts it again on the same address when it ends before `stop`. */
export async function superviseSamba(options: SambaOptions): Promise<KeptSamba> {
  return keepRunning(await startSamba(options), () => startSamba(options));
}

/** It opens the others first, and ends when it cannot have one of them. */
const listenersOf = (address: string, caFile: string): readonly Listener[] => [
  ...FURTHER_PORTS.map((port) => ({ host: address, port, proof: { by: 'owner' } as const })),
  { host: address, port: LDAPS_PORT, proof: { by: 'certificate', caFile } },
];

/**
 * A loopback address where no process has a port of a domain controller. Linux has all of 127.0.0.0/8 without any set-up.
 * @throws Error that names the port when another server has it on every address, as an installed slapd has 389
 */
export async function freeLoopback(): Promise<string> {
  const byte = () => 1 + Math.floor(Math.random() * 254);
  let taken: number | undefined;
  for (let tries = 0; tries < 100; tries++) {
    const host = `127.${byte()}.${byte()}.${byte()}`;
    const ports = [LDAPS_PORT, ...FURTHER_PORTS];
    const free = await Promise.all(ports.map((port) => isFree({ host, port })));
    if (free.every(Boolean)) return host;
    taken = ports[free.indexOf(false)];
  }
  throw new Error(
    `A domain controller needs port ${taken}, and another server listens there on every address`,
  );
}

const SAMBA = '/usr/sbin/samba';
export const SAMBA_TOOL = '/usr/bin/samba-tool';
/** The schema and texts of a new domain. */
const SETUP = '/usr/share/samba/setup/provision.ldif';
/** The Python that has Samba's modules. */
export const PYTHON = '/usr/bin/python3';
/** samba-tool loads them when it makes a domain. */
const PYTHON_MODULES = ['samba.provision', 'samba.netcmd.domain', 'markdown'];
const PACKAGES = ['samba-ad-dc', 'samba-ad-provision', 'python3-markdown'];
const POLICY = '/usr/sbin/policy-rc.d';

/**
 * Installs Samba on this machine when it is missing or incomplete, such as a file server without the domain controller.
 * Its services are not started, and no installed package is changed, because its server may be running.
 * @throws Error with the reason why it is not available
 */
export async function installSamba(report: Report): Promise<void> {
  if (!isRoot) throw new Error('Samba can be a domain controller only as root');
  const flaw = await sambaFlaw();
  if (flaw === null) return;
  if (!onDebian())
    throw new Error(`Samba ${flaw}: install samba with its domain controller and Python modules`);
  report(`installing ${PACKAGES.join(', ')} on this machine (Debian packages; about 20 s)`);
  await installPackages(report);
  const remaining = await sambaFlaw();
  if (remaining !== null) throw new Error(`Samba ${remaining}, also after ${PACKAGES.join(', ')}`);
}

/** What the installed Samba lacks of a domain controller, or null. */
export async function sambaFlaw(
  files: readonly string[] = [SAMBA, SAMBA_TOOL, SETUP],
  modules: readonly string[] = PYTHON_MODULES,
): Promise<string | null> {
  const missing = files.find((file) => !existsSync(file));
  if (missing !== undefined) return `lacks ${missing}`;
  for (const name of modules) {
    const found = await run(PYTHON, ['-c', `import ${name}`], { env: sambaEnvironment() }).then(
      () => true,
      () => false,
    );
    if (!found) return `lacks the Python module ${name}`;
  }
  return null;
}

async function installPackages(report: Report): Promise<void> {
  const guarded = !existsSync(POLICY);
  // Debian runs it before it starts the services of a package; 101 forbids the start.
  if (guarded) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755, flag: 'wx' });
  try {
    await install().catch(async () => {
      report('fetching the package lists first');
      await apt('update');
      await install();
    });
  } finally {
    if (guarded) rmSync(POLICY);
  }
}

async function install(): Promise<void> {
  const options = ['--yes', '--no-install-recommends', '--no-remove', ...PACKAGES];
  const planned = await apt('install', '--simulate', ...options);
  const changed = /^Inst (\S+) \[/m.exec(planned)?.[1];
  if (changed !== undefined)
    throw new Error(`Samba needs another version of the installed package ${changed}: upgrade it`);
  await apt('install', ...options);
}

/** In a session of its own, because Ctrl-C would leave the packages of the machine half installed. */
async function apt(command: string, ...args: string[]): Promise<string> {
  const quiet = ['apt-get', '-q', '-o', 'DPkg::Lock::Timeout=120', command, ...args];
  try {
    const { stdout } = await run('setsid', ['--wait', ...quiet], {
      env: { ...inheritedEnvironment(), LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
      maxBuffer: 1 << 24,
    });
    return stdout;
  } catch (error) {
    const printed = (error as { stderr?: string }).stderr?.trim();
    throw new Error(`apt-get ${command}: ${printed || String(error)}`);
  }
}

/** For samba-tool, which finds its helpers by PATH. */
export const sambaEnvironment = (): NodeJS.ProcessEnv => ({
  ...serverEnvironment(null),
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
});

const ADMIN_PASSWORD = 'administrator.secret';
const PROVISIONED = 'provisioned';

/** A socket path has 107 bytes, and the longest below the folder is `/private/ldap_priv/ldapi`. */
const LONGEST_DIR = 75;

/** Makes the domain. An interrupted attempt leaves no mark, so that the next start makes the domain again. */
async function provision(dir: string, realm: string, address: string): Promise<void> {
  if (existsSync(path.join(dir, PROVISIONED))) return;
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true, mode: 0o755 });
  // Otherwise samba-tool would begin with the smb.conf of the machine.
  const emptyFile = path.join(dir, 'empty.conf');
  writeFileSync(emptyFile, '[global]\n');
  // Without a password on its command line, Samba makes one and prints it.
  const { stdout, stderr } = await run(
    SAMBA_TOOL,
    [
      ...['domain', 'provision', '--server-role=dc', '--dns-backend=NONE', `--targetdir=${dir}`],
      ...[`--realm=${realm.toUpperCase()}`, `--domain=${workgroup(realm)}`],
      ...[`--host-name=${HOST}`, `--host-ip=${address}`, `--configfile=${emptyFile}`],
    ],
    { env: sambaEnvironment(), maxBuffer: 1 << 24 },
  );
  const password = /^(?:.*\s)?Admin password:\s+(\S+)\s*$/m.exec(`${stdout}\n${stderr}`)?.[1];
  if (password === undefined)
    throw new Error('samba-tool did not print the password of the administrator');
  writeFileSync(path.join(dir, ADMIN_PASSWORD), password, { mode: 0o600 });
  writeFileSync(path.join(dir, PROVISIONED), '');
}

const workgroup = (realm: string) => (realm.split('.')[0] ?? '').toUpperCase();

/** smb.conf(5). A value ends with its line, so folders need no quotes. */
const configuration = (
  dir: string,
  address: string,
  realm: string,
  certificates: Certificates,
  settings: readonly string[],
): string =>
  [
    '[global]',
    `workgroup = ${workgroup(realm)}`,
    `realm = ${realm.toUpperCase()}`,
    `netbios name = ${HOST.toUpperCase()}`,
    'server role = active directory domain controller',
    'server services = ldap',
    `interfaces = ${address}/8`,
    'bind interfaces only = yes',
    `private dir = ${dir}/private`,
    `state directory = ${dir}/state`,
    `cache directory = ${dir}/cache`,
    `lock directory = ${dir}/lock`,
    `pid directory = ${dir}/run`,
    `ncalrpc dir = ${dir}/run/ncalrpc`,
    `binddns dir = ${dir}/bind-dns`,
    `ntp signd socket directory = ${dir}/run/ntp_signd`,
    `winbindd socket directory = ${dir}/run/winbindd`,
    `log file = ${dir}/log.%m`,
    'tls enabled = yes',
    `tls cafile = ${certificates.caFile}`,
    `tls certfile = ${certificates.certFile}`,
    `tls keyfile = ${certificates.keyFile}`,
    // Otherwise the old password works for another hour, and a login does not show that it was changed.
    'old password allowed period = 0',
    ...settings,
    '',
  ].join('\n');
