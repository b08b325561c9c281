import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Certificates, certificatesIn } from './certificates';
import { onDebian, type Report, unpackedDebs } from './debian';
import { isRoot, NOBODY } from './places';
import { loopback, onFreePort } from './ports';
import { type RunningServer, startServer } from './processes';
import { giveToServer, librariesIn, openServerDir, serverEnvironment } from './server-setup';

const run = promisify(execFile);

export interface Ds389Options {
  /** A new folder for data and configuration. When we are root, the user nobody must be able to enter it. */
  readonly dir: string;
  /** Any free port without it. */
  readonly port?: number;
  /** The hash of the password of `managerDn`, the administrator whom no rule limits: see `ssha`. */
  readonly managerHash: string;
  /** Each suffix gets an empty database. */
  readonly suffixes: readonly string[];
  /** Attributes of `cn=config`, such as `nsslapd-allow-hashed-passwords`. */
  readonly config?: Readonly<Record<string, string>>;
  /** Records every write in `cn=changelog`, with clear-text passwords only if `config` sets `nsslapd-unhashed-pw-switch`. */
  readonly changelog?: boolean;
  readonly report: Report;
}

export interface Ds389 extends RunningServer {
  readonly port: number;
  readonly url: string;
  readonly caFile: string;
  /** On the same port, with the changes that were made to its configuration. */
  restart(): Promise<Ds389>;
}

export const managerDn = 'cn=Directory Manager';

/**
 * A real 389 Directory Server on loopback, for LDAPS only. No rights are needed to start it, and as root it runs as the
 * user nobody. Its own installer (dscreate) needs root, systemd and folders of the machine, so its template is filled in
 * here.
 * @throws Error as `unpackedDs389`
 */
export async function startDs389(options: Ds389Options): Promise<Ds389> {
  const program = await unpackedDs389(options.report);
  const dir = openServerDir(options.dir);
  const folders = ['', 'conf', SCHEMA, 'certs', 'db', 'logs', 'run', 'other'];
  for (const folder of folders.map((name) => path.join(dir, name))) {
    mkdirSync(folder, { recursive: true });
    giveToServer(folder);
  }
  const certificates = await certificatesIn(path.join(dir, 'tls'));
  await makeNssDatabase(program, path.join(dir, 'certs'), certificates);
  const { caFile } = certificates;
  const start = async (port: number): Promise<Ds389> => {
    const server = await launch(program, dir, port, caFile);
    const restart = () => server.stop().then(() => start(port));
    return { ...server, port, url: `ldaps://127.0.0.1:${port}`, caFile, restart };
  };
  const configureAndStart = (port: number) => {
    configure(program, dir, port, options);
    return start(port);
  };
  return options.port === undefined
    ? onFreePort(configureAndStart)
    : configureAndStart(options.port);
}

const launch = (
  program: Ds389Program,
  dir: string,
  port: number,
  caFile: string,
): Promise<RunningServer> =>
  startServer({
    name: '389 Directory Server',
    command: path.join(program.root, 'usr', 'sbin', 'ns-slapd'),
    // Any debug level, even 0, keeps it in the foreground.
    args: ['-D', path.join(dir, 'conf'), '-i', path.join(dir, 'run', 'pid'), '-d', '0'],
    env: program.env,
    logFile: path.join(dir, 'ns-slapd.log'),
    asNobody: true,
    stopSignal: 'SIGTERM',
    listeners: [{ ...loopback(port), proof: { by: 'certificate', caFile } }],
  });

export interface Ds389Program {
  /** The folder that stands for `/`. */
  readonly root: string;
  readonly pluginDir: string;
  readonly env: NodeJS.ProcessEnv;
}

const PACKAGES = [
  ...['389-ds-base', '389-ds-base-libs', 'libnss3', 'libnspr4', 'libnss3-tools', 'openssl'],
  ...['libcrack2', 'libdb5.3', 'libicu72', 'libjson-c5', 'libkrb5-3', 'libkrb5support0'],
  ...['libk5crypto3', 'libkeyutils1', 'libldap-2.5-0', 'liblmdb0', 'libsasl2-2', 'libssl3'],
];

/**
 * 389 Directory Server of Debian 12, unpacked into the cache. An installed one is not used: its plugins and its schema are
 * where its own installer puts them.
 * @throws Error with the reason why it is not available
 */
export async function unpackedDs389(report: Report): Promise<Ds389Program> {
  if (!onDebian())
    throw new Error('389 Directory Server is available only from the packages of Debian 12');
  const root = await unpackedDebs('ds389', PACKAGES, report);
  const libraries = librariesIn(root).split(':');
  const own = libraries.map((dir) => path.join(dir, 'dirsrv'));
  const pluginDirs = own.map((dir) => path.join(dir, 'plugins'));
  const pluginDir = pluginDirs.find((dir) => existsSync(dir));
  if (pluginDir === undefined) throw new Error(`389 Directory Server in ${root} lacks its plugins`);
  const env = serverEnvironment([...libraries, ...own, ...pluginDirs].join(':'));
  return { root, pluginDir, env };
}

/** Runs a tool of the packages as the user of the server. The files that it makes need no password: only that user may read them. */
const tool = ({ root, env }: Ds389Program, name: string, ...args: string[]) =>
  run(path.join(root, 'usr', 'bin', name), args, { env, cwd: '/', ...(isRoot ? NOBODY : {}) });

/** The server reads its key from an NSS database, which imports keys only as PKCS #12. */
async function makeNssDatabase(
  program: Ds389Program,
  dir: string,
  { certFile, keyFile, caFile }: Certificates,
): Promise<void> {
  const bundle = path.join(dir, 'server.p12');
  giveToServer(keyFile);
  const pair = ['-in', certFile, '-inkey', keyFile, '-name', CERTIFICATE];
  await tool(program, 'openssl', 'pkcs12', '-export', ...pair, '-out', bundle, '-passout', 'pass:');
  await tool(program, 'certutil', '-N', '-d', dir, '--empty-password');
  await tool(program, 'pk12util', '-i', bundle, '-d', dir, '-K', '', '-W', '');
  await tool(program, 'certutil', '-A', '-d', dir, '-n', 'CA', '-t', 'CT,,', '-a', '-i', caFile);
}

/** The template names the certificate so. */
const CERTIFICATE = 'Server-Cert';

/** The server reads this folder before it has read the configuration that names it. */
const SCHEMA = path.join('conf', 'schema');

function configure(program: Ds389Program, dir: string, port: number, options: Ds389Options): void {
  const { root, pluginDir } = program;
  const conf = path.join(dir, 'conf');
  for (const file of ['slapd-collations.conf', 'certmap.conf'])
    cpSync(path.join(root, 'etc', 'dirsrv', 'config', file), path.join(conf, file));
  for (const schema of ['usr/share/dirsrv/schema', 'etc/dirsrv/schema'])
    cpSync(path.join(root, schema), path.join(dir, SCHEMA), { recursive: true });
  giveToServer(path.join(dir, SCHEMA, '99user.ldif'));
  const template = (name: string) =>
    readFileSync(path.join(root, 'usr', 'share', 'dirsrv', 'data', name), 'utf8');
  const values = valuesFor(dir, options);
  const databases = options.suffixes.map((suffix, index) =>
    filled(template('template-suffix-db.ldif'), {
      ...values,
      ds_suffix: suffix,
      ds_bename: `database${index}`,
    }),
  );
  const server = filled(template('template-dse.ldif'), values)
    .replace(/\n\n/, `\n${configLines(port, options)}\n\n`)
    .replace(RETRO_CHANGELOG, options.changelog ? '$1on' : '$1off');
  const dse = [server, UUIDS, ...databases]
    .map((part) => part.trim())
    .join('\n\n')
    .replaceAll(PLUGIN_PATH, `$1${pluginDir}/`);
  const file = path.join(conf, 'dse.ldif');
  writeFileSync(file, `${dse}\n`, { mode: 0o600 });
  giveToServer(file);
}

const filled = (template: string, values: Readonly<Record<string, string>>): string =>
  template.replaceAll(/%(\w+)%/g, (_, name: string) => values[name] ?? '');

const RETRO_CHANGELOG = /(cn: Retro Changelog Plugin\n(?:.+\n)*?nsslapd-pluginenabled: )off/;
/** The server would look for a name without a folder where an installed server has its plugins. */
const PLUGIN_PATH = /^(nsslapd-pluginpath: )(?=lib)/gim;

/** Without these entries the server adds them itself, with paths that do not exist here. */
const UUIDS = [
  ['entryuuid', 'libentryuuid-plugin', 'entryuuid_plugin_init', 'betxnpreoperation'],
  ['entryuuid_syntax', 'libentryuuid-syntax-plugin', 'entryuuid_syntax_plugin_init', 'syntax'],
]
  .map(([name, library, start, type]) =>
    [
      `dn: cn=${name},cn=plugins,cn=config`,
      ...['top', 'nsSlapdPlugin'].map((value) => `objectclass: ${value}`),
      `cn: ${name}`,
      `nsslapd-pluginpath: ${library}`,
      `nsslapd-plugininitfunc: ${start}`,
      `nsslapd-plugintype: ${type}`,
      'nsslapd-pluginenabled: on',
      `nsslapd-pluginId: ${name}`,
      'nsslapd-pluginVersion: none',
      'nsslapd-pluginVendor: 389 Project',
      `nsslapd-pluginDescription: ${name}`,
    ].join('\n'),
  )
  .join('\n\n');

function valuesFor(dir: string, { suffixes, managerHash }: Ds389Options) {
  const at = (name: string) => path.join(dir, name);
  const other = ['lock', 'tmp', 'ldif', 'bak', 'inst'].map((name) => [`${name}_dir`, at('other')]);
  return {
    ...Object.fromEntries(other),
    config_dir: at('conf'),
    schema_dir: at(SCHEMA),
    cert_dir: at('certs'),
    db_dir: at('db'),
    db_home_dir: at('db'),
    db_lib: 'bdb',
    log_dir: at('logs'),
    run_dir: at('run'),
    fqdn: 'localhost',
    ds_port: '0',
    ds_user: isRoot ? 'nobody' : os.userInfo().username,
    ds_suffix: suffixes[0] ?? '',
    rootdn: managerDn,
    ds_passwd: managerHash,
    ldapi_enabled: 'off',
    ldapi: at('run/ldapi'),
    ldapi_autobind: 'off',
  };
}

const configLines = (port: number, { config }: Ds389Options): string =>
  Object.entries({
    'nsslapd-security': 'on',
    'nsslapd-securePort': String(port),
    'nsslapd-securelistenhost': '127.0.0.1',
    ...config,
  })
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');
