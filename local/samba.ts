import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { inheritedEnvironment } from '../config';
import { Secret } from '../model/passwords/secret';
import { type Certificates, certificatesIn } from './certificates';
import { onDebian, type Report } from './debian';
import { isRoot } from './places';
import { acceptsConnections } from './ports';
import { type RunningServer, startServer } from './processes';
import { serverEnvironment } from './server-setup';

const run = promisify(execFile);

export interface SambaOptions {
  /** Its domain, kept between starts. */
  readonly dir: string;
  /** A loopback address of its own: the ports of a domain controller cannot be chosen. See `freeLoopback`. */
  readonly address: string;
  /** `ad.example.test` */
  readonly realm: string;
  /** Lines of smb.conf(5) besides ours. */
  readonly settings?: readonly string[];
  /** Variables of the server besides ours. */
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
  /** With smb.conf(5) as it is now. */
  restart(): Promise<void>;
}

const HOST = 'dc1';
const LDAPS_PORT = 636;

/**
 * A real Active Directory domain controller (Samba) on loopback, which takes logins over TLS only. Only root can have
 * one, on Debian, after `installSamba`. Making a domain takes about five seconds, once.
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
      // One process, so that nothing outlives it.
      args: ['--foreground', '--no-process-group', '--model=single', `--configfile=${configFile}`],
      env: { ...serverEnvironment(null), ...env },
      logFile: path.join(place, 'samba.log'),
      stopSignal: 'SIGTERM',
      ready: () => acceptsConnections(LDAPS_PORT, address),
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

/** A loopback address where no domain controller listens. Linux has all of 127.0.0.0/8 without any set-up. */
export async function freeLoopback(): Promise<string> {
  const byte = () => 1 + Math.floor(Math.random() * 254);
  for (let tries = 0; tries < 100; tries++) {
    const address = `127.${byte()}.${byte()}.${byte()}`;
    if (!(await acceptsConnections(LDAPS_PORT, address))) return address;
  }
  throw new Error('No free loopback address');
}

const SAMBA = '/usr/sbin/samba';
const SAMBA_TOOL = '/usr/bin/samba-tool';
/** The schema and texts of a new domain. */
const SETUP = '/usr/share/samba/setup/provision.ldif';
const PACKAGES = ['samba-ad-dc', 'samba-ad-provision', 'python3-markdown'];
const POLICY = '/usr/sbin/policy-rc.d';

/**
 * Installs Samba on this machine where it is missing. Its services are not started.
 * @throws Error saying why it cannot be had
 */
export async function installSamba(report: Report): Promise<void> {
  if (!isRoot) throw new Error('Samba can only be a domain controller as root');
  if ([SAMBA, SAMBA_TOOL, SETUP].every((file) => existsSync(file))) return;
  if (!onDebian()) throw new Error('Samba is missing: install samba with its domain controller');
  report(`installing ${PACKAGES.join(', ')} on this machine (Debian packages; about 20 s)`);
  const guarded = !existsSync(POLICY);
  // What Debian asks before it starts the services of a package: 101 forbids it.
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

const install = () => apt('install', '--yes', '--no-install-recommends', ...PACKAGES);

async function apt(...args: string[]): Promise<void> {
  try {
    await run('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=120', ...args], {
      env: { ...inheritedEnvironment(), LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
      maxBuffer: 1 << 24,
    });
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim();
    throw new Error(`apt-get ${args[0]}: ${said || String(error)}`);
  }
}

const ADMIN_PASSWORD = 'administrator.secret';
const PROVISIONED = 'provisioned';

/** A socket path has 107 bytes, and the longest below the folder is `/private/ldap_priv/ldapi`. */
const LONGEST_DIR = 75;

/** Makes the domain; one that was cut off while it was made leaves no mark, and is made anew. */
async function provision(dir: string, realm: string, address: string): Promise<void> {
  if (existsSync(path.join(dir, PROVISIONED))) return;
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true, mode: 0o755 });
  // Without a password on its command line, Samba makes one up and says it.
  const { stdout, stderr } = await run(
    SAMBA_TOOL,
    [
      ...['domain', 'provision', '--server-role=dc', '--dns-backend=NONE', `--targetdir=${dir}`],
      ...[`--realm=${realm.toUpperCase()}`, `--domain=${workgroup(realm)}`],
      ...[`--host-name=${HOST}`, `--host-ip=${address}`],
    ],
    { env: { ...serverEnvironment(null), PATH: inheritedEnvironment().PATH }, maxBuffer: 1 << 24 },
  );
  const password = /^(?:.*\s)?Admin password:\s+(\S+)\s*$/m.exec(`${stdout}\n${stderr}`)?.[1];
  if (password === undefined) throw new Error('samba-tool did not say the administrator password');
  writeFileSync(path.join(dir, ADMIN_PASSWORD), password, { mode: 0o600 });
  writeFileSync(path.join(dir, PROVISIONED), '');
}

const workgroup = (realm: string) => (realm.split('.')[0] ?? '').toUpperCase();

/** smb.conf(5). A value goes to the end of the line, so folders need no quotes. */
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
    // Otherwise a login takes the old password for another hour, and nobody can tell that it was changed.
    'old password allowed period = 0',
    ...settings,
    '',
  ].join('\n');
