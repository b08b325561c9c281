import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Secret } from '../model/passwords/secret';
import { type Certificates, certificatesIn } from './certificates';
import { onDebian, type Report, unpackedDebs } from './debian';
import { isRoot, NOBODY } from './places';
import { acceptsConnections } from './ports';
import { type RunningServer, startServer } from './processes';
import { giveToServer, librariesIn, openServerDir, serverEnvironment } from './server-setup';

const run = promisify(execFile);

/** A suffix with a database, a password policy and data of its own. */
export interface Directory {
  readonly suffix: string;
  /** Hash of the password of `cn=admin,<suffix>`, whom no rule binds: see `ssha`. */
  readonly adminHash: string;
  /** Attributes of the default password policy (slapo-ppolicy(5)); none leaves the overlay without a default. */
  readonly policy: Readonly<Record<string, string>>;
  /** Lines of slapd.conf(5) for this database: `access to …`, `limits …`. */
  readonly rules: readonly string[];
  /** What it holds at first. Passwords in it must be hashed: slapadd stores what it is given. */
  readonly ldif: string;
}

export interface SlapdOptions {
  /** Its data and configuration; nobody must be able to enter it when we are root (`serverDir`). */
  readonly dir: string;
  readonly port: number;
  readonly directories: readonly Directory[];
  /** Modules besides those that it needs, such as `argon2`. */
  readonly modules?: readonly string[];
  readonly report: Report;
}

export interface Slapd extends RunningServer {
  readonly port: number;
  readonly url: string;
  readonly caFile: string;
}

/**
 * A real OpenLDAP server on loopback, LDAPS only, that anybody may start: as nobody when we are root. Started again on
 * the same `dir` it has the data of before. It syncs every write to disk, as it does by default.
 * @throws Error as `findSlapd`
 */
export async function startSlapd(options: SlapdOptions): Promise<Slapd> {
  const program = await findSlapd(options.report);
  const dir = openServerDir(options.dir);
  const certificates = await certificatesIn(path.join(dir, 'tls'));
  const configFile = path.join(dir, 'slapd.conf');
  writeFileSync(configFile, configuration(dir, options, program, certificates), {
    mode: 0o600,
  });
  for (const file of [configFile, certificates.keyFile]) giveToServer(file);
  for (const directory of emptied(dir, options.directories))
    await seed(program, configFile, directory);
  const server = await startServer({
    name: 'slapd',
    command: program.slapd,
    args: ['-f', configFile, '-h', `ldaps://127.0.0.1:${options.port}`, '-d', '0'],
    env: program.env,
    logFile: path.join(dir, 'slapd.log'),
    asNobody: true,
    stopSignal: 'SIGTERM',
    ready: () => acceptsConnections(options.port),
  });
  const url = `ldaps://127.0.0.1:${options.port}`;
  return { ...server, port: options.port, url, caFile: certificates.caFile };
}

/** A password as `{SSHA}` (RFC 2307 with a salt), the default of OpenLDAP. */
export function ssha(password: Secret): string {
  const salt = randomBytes(8);
  const digest = password.use((bytes) => createHash('sha1').update(bytes).update(salt).digest());
  return `{SSHA}${Buffer.concat([digest, salt]).toString('base64')}`;
}

/** One entry of an LDIF file (RFC 2849). Values are base64, so any text is safe. */
export function ldifEntry(
  dn: string,
  attributes: Readonly<Record<string, string | readonly string[]>>,
): string {
  const line = (name: string, value: string) =>
    `${name}:: ${Buffer.from(value).toString('base64')}`;
  const lines = Object.entries(attributes).flatMap(([name, values]) =>
    [values].flat().map((value) => line(name, value)),
  );
  return `${[line('dn', dn), ...lines].join('\n')}\n\n`;
}

/** slapd with what belongs to it. */
export interface SlapdProgram {
  readonly slapd: string;
  readonly schemaDir: string;
  readonly moduleDir: string;
  readonly env: NodeJS.ProcessEnv;
}

/** It must not read the ldap.conf of the machine. */
const environmentFor = (libraryPath: string | null): NodeJS.ProcessEnv => ({
  ...serverEnvironment(libraryPath),
  LDAPNOINIT: '1',
});

const INSTALLED = ['/usr/sbin/slapd', '/usr/libexec/slapd', '/usr/lib/slapd', '/usr/bin/slapd'];
const SCHEMA_DIRS = ['/etc/ldap/schema', '/etc/openldap/schema'];
const MODULE_DIRS = ['/usr/lib/ldap', '/usr/lib64/openldap', '/usr/lib/openldap'];

/** Ubuntu's profile keeps an installed slapd away from every folder but its own. */
const APPARMOR_PROFILE = '/etc/apparmor.d/usr.sbin.slapd';

/**
 * The slapd of the machine, or Debian's, unpacked into the cache.
 * @throws Error saying what to install where there is none and none can be fetched
 */
export async function findSlapd(report: Report): Promise<SlapdProgram> {
  const present = (files: readonly string[]) => files.find((file) => existsSync(file));
  const [slapd, schemaDir, moduleDir] = [INSTALLED, SCHEMA_DIRS, MODULE_DIRS].map(present);
  if (slapd && schemaDir && moduleDir && !existsSync(APPARMOR_PROFILE))
    return { slapd, schemaDir, moduleDir, env: environmentFor(null) };
  if (!onDebian())
    throw new Error('OpenLDAP is missing: install the server package (openldap, openldap-servers)');
  return unpacked(await fetchPackages(report));
}

const PACKAGES = [
  ...['slapd', 'libltdl7', 'libwrap0', 'libnsl2', 'libsasl2-2', 'libsasl2-modules-db'],
  // Modules that check hashes, and the library of one of them.
  ...['slapd-contrib', 'libargon2-1'],
];
/** From Debian 13 and Ubuntu 24.04 on, libraries have other names. */
const LIBRARIES = [
  ['libldap-2.5-0', 'libtirpc3', 'libnettle8'],
  ['libldap2', 'libtirpc3t64', 'libnettle8t64'],
] as const;

async function fetchPackages(report: Report): Promise<string> {
  const [older, newer] = LIBRARIES.map((names) => [...PACKAGES, ...names]);
  try {
    return await unpackedDebs('slapd', older ?? [], report);
  } catch (error) {
    return unpackedDebs('slapd', newer ?? [], report).catch(() => {
      throw error;
    });
  }
}

function unpacked(root: string): SlapdProgram {
  return {
    slapd: path.join(root, 'usr', 'sbin', 'slapd'),
    schemaDir: path.join(root, 'etc', 'ldap', 'schema'),
    moduleDir: path.join(root, 'usr', 'lib', 'ldap'),
    env: environmentFor(librariesIn(root)),
  };
}

/** slapd.conf(5): quotes keep blanks together, a backslash keeps the next character. */
const quoted = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`;

function configuration(
  dir: string,
  { directories, modules = [] }: SlapdOptions,
  { schemaDir, moduleDir }: SlapdProgram,
  certificates: Certificates,
): string {
  const schemas = ['core', 'cosine', 'inetorgperson'];
  return [
    ...schemas.map((name) => `include ${quoted(path.join(schemaDir, `${name}.schema`))}`),
    `modulepath ${quoted(moduleDir)}`,
    // The suffix matters: without it slapd loads the module of the system, which may be of another version.
    ...['back_mdb', 'ppolicy', ...modules]
      .map((name) => `${name}.so`)
      // Some distributions build them in.
      .filter((name) => existsSync(path.join(moduleDir, name)))
      .map((name) => `moduleload ${name}`),
    `TLSCACertificateFile ${quoted(certificates.caFile)}`,
    `TLSCertificateFile ${quoted(certificates.certFile)}`,
    `TLSCertificateKeyFile ${quoted(certificates.keyFile)}`,
    'TLSProtocolMin 3.3',
    ...directories.flatMap((directory, index) => database(directory, databaseDir(dir, index))),
    '',
  ].join('\n');
}

const databaseDir = (dir: string, index: number) => path.join(dir, `db-${index}`);
const policyDn = (suffix: string) => `cn=policy,${suffix}`;

const database = ({ suffix, adminHash, rules }: Directory, dir: string): string[] => [
  'database mdb',
  `suffix ${quoted(suffix)}`,
  `rootdn ${quoted(`cn=admin,${suffix}`)}`,
  `rootpw ${quoted(adminHash)}`,
  `directory ${quoted(dir)}`,
  'maxsize 268435456',
  'index objectClass,uid,cn,mail,entryUUID eq',
  ...rules,
  'overlay ppolicy',
  `ppolicy_default ${quoted(policyDn(suffix))}`,
  'ppolicy_hash_cleartext',
  'ppolicy_use_lockout',
];

interface EmptyDatabase extends Directory {
  readonly dir: string;
}

/** Databases without data yet, or with half of it, because a start was cut off. slapd wants all their folders at once. */
function emptied(dir: string, directories: readonly Directory[]): EmptyDatabase[] {
  const empty = directories
    .map((directory, index) => ({ ...directory, dir: databaseDir(dir, index) }))
    .filter((database) => !existsSync(path.join(database.dir, SEEDED)));
  for (const database of empty) {
    rmSync(database.dir, { recursive: true, force: true });
    mkdirSync(database.dir);
    giveToServer(database.dir);
  }
  return empty;
}

const SEEDED = 'seeded';

async function seed({ slapd, env }: SlapdProgram, configFile: string, empty: EmptyDatabase) {
  const policy = ldifEntry(policyDn(empty.suffix), {
    objectClass: [
      'device',
      'pwdPolicy',
      ...(empty.policy.pwdCheckModule ? ['pwdPolicyChecker'] : []),
    ],
    cn: 'policy',
    pwdAttribute: 'userPassword',
    ...empty.policy,
  });
  const loading = run(slapd, ['-T', 'add', '-q', '-f', configFile, '-b', empty.suffix], {
    env,
    cwd: '/',
    ...(isRoot ? NOBODY : {}),
  });
  loading.child.stdin?.end(empty.ldif + (Object.keys(empty.policy).length > 0 ? policy : ''));
  await loading;
  writeFileSync(path.join(empty.dir, SEEDED), '');
}
