import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Secret } from '../model/passwords/secret';
import { type Certificates, certificatesIn } from './certificates';
import type { Report } from './debian';
import { isRoot, NOBODY } from './places';
import { loopback, onFreePort } from './ports';
import { type RunningServer, startServer } from './processes';
import { giveToServer, openServerDir } from './server-setup';
import { type CapableSlapd, findSlapd, quoted, schemas } from './slapd-program';
import { keepRunning } from './supervise';

const run = promisify(execFile);

/** A suffix with a database, a password policy and data of its own. */
export interface Directory {
  readonly suffix: string;
  /** The hash of the password of `cn=admin,<suffix>`, the administrator whom no rule limits: see `ssha`. */
  readonly adminHash: string;
  /** Attributes of the default password policy (slapo-ppolicy(5)); none leaves the overlay without a default. */
  readonly policy: Readonly<Record<string, string>>;
  /** Lines of slapd.conf(5) for this database: `access to …`, `limits …`. */
  readonly rules: readonly string[];
  /** The first entries. Their passwords must be hashed, because slapadd stores them as they are. */
  readonly ldif: string;
}

export interface SlapdOptions {
  /** Holds data and configuration. When we are root, the user nobody must be able to enter it: see `serverDir`. */
  readonly dir: string;
  /** Any free port without it. */
  readonly port?: number;
  readonly directories: readonly Directory[];
  /** Modules besides those that every directory needs, such as `argon2`. */
  readonly modules?: readonly string[];
  /** Further lines of slapd.conf(5) for the whole server. */
  readonly lines?: readonly string[];
  /** A port for connections that begin without TLS. */
  readonly startTlsPort?: number;
  readonly report: Report;
}

export interface Slapd extends RunningServer {
  readonly port: number;
  readonly url: string;
  readonly caFile: string;
}

/**
 * A real OpenLDAP server on loopback, for LDAPS only. No rights are needed to start it, and as root it runs as the user
 * nobody. A later start on the same `dir` has the same data. It syncs every write to disk, which is its default.
 * @throws Error as `findSlapd`
 */
export async function startSlapd(options: SlapdOptions): Promise<Slapd> {
  const program = await findSlapd(options.report, options.modules);
  const dir = openServerDir(options.dir);
  const certificates = await certificatesIn(path.join(dir, 'tls'));
  const configFile = path.join(dir, 'slapd.conf');
  writeFileSync(configFile, configuration(dir, options, program, certificates), { mode: 0o600 });
  for (const file of [configFile, certificates.keyFile]) giveToServer(file);
  for (const directory of emptied(dir, options.directories))
    await seed(program, configFile, directory);
  const start = async (port: number): Promise<Slapd> => {
    const server = await launch(program, dir, configFile, port, certificates, options);
    return { ...server, port, url: urlOf(port), caFile: certificates.caFile };
  };
  return options.port === undefined ? onFreePort(start) : start(options.port);
}

/** Starts the server of `dir`, and starts it again on the same port when it ends before `stop`. */
export async function superviseSlapd(options: SlapdOptions): Promise<Slapd> {
  const first = await startSlapd(options);
  return keepRunning(first, () => startSlapd({ ...options, port: first.port }));
}

const urlsOf = (port: number, startTlsPort: number | undefined) =>
  startTlsPort === undefined ? urlOf(port) : `${urlOf(port)} ldap://127.0.0.1:${startTlsPort}`;

const urlOf = (port: number) => `ldaps://127.0.0.1:${port}`;

const launch = (
  program: CapableSlapd,
  dir: string,
  configFile: string,
  port: number,
  { caFile }: Certificates,
  { startTlsPort }: SlapdOptions,
): Promise<RunningServer> =>
  startServer({
    name: 'slapd',
    command: program.slapd,
    args: ['-f', configFile, '-h', urlsOf(port, startTlsPort), '-d', '0'],
    env: program.env,
    logFile: path.join(dir, 'slapd.log'),
    asNobody: true,
    stopSignal: 'SIGTERM',
    listeners: [{ ...loopback(port), proof: { by: 'certificate', caFile } }],
  });

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

function configuration(
  dir: string,
  { directories, lines = [] }: SlapdOptions,
  { schemaDir, moduleDir, moduleFiles }: CapableSlapd,
  certificates: Certificates,
): string {
  return [
    ...schemas.map((name) => `include ${quoted(path.join(schemaDir, `${name}.schema`))}`),
    `modulepath ${quoted(moduleDir)}`,
    ...moduleFiles.map((file) => `moduleload ${file}`),
    `TLSCACertificateFile ${quoted(certificates.caFile)}`,
    `TLSCertificateFile ${quoted(certificates.certFile)}`,
    `TLSCertificateKeyFile ${quoted(certificates.keyFile)}`,
    'TLSProtocolMin 3.3',
    ...lines,
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

/** Databases without data, or with a part of it because a start was interrupted. slapd needs all of their folders at once. */
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

async function seed({ slapd, env }: CapableSlapd, configFile: string, empty: EmptyDatabase) {
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
