import { execFile, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { createConnection } from 'mysql2/promise';
import { inheritedEnvironment } from '../config';
import { firstCapable, NoneCapable, type Source } from './candidates';
import { type Certificates, certificatesIn } from './certificates';
import { onDebian, type Report, unpackedDebs } from './debian';
import { isRoot, NOBODY } from './places';
import { loopback, onFreePort } from './ports';
import { type RunningServer, startServer } from './processes';
import { giveToServer, librariesIn, openServerDir, serverEnvironment } from './server-setup';

const run = promisify(execFile);

export interface MariadbOptions {
  /** Holds everything from one start to the next. When we are root, the user nobody must be able to enter it: see `serverDir`. */
  readonly dir: string;
  readonly program: MariadbProgram;
  /** Any free port without it. */
  readonly port?: number;
  /** Further options of mariadbd, without the leading dashes. */
  readonly settings?: readonly string[];
}

export interface LocalMariadb extends RunningServer {
  /** For root, with its password. The server accepts connections over TLS only. */
  readonly url: string;
  readonly port: number;
  readonly caFile: string;
  readonly logFile: string;
  readonly binDir: string;
}

/**
 * Starts the MariaDB of `dir` on loopback, for TLS only. The first start makes its data.
 * @throws Error with the end of the server's log
 */
export async function startMariadb(options: MariadbOptions): Promise<LocalMariadb> {
  const dir = openServerDir(options.dir);
  const { program } = options;
  const data = path.join(dir, 'data');
  const passwordFile = path.join(dir, 'password');
  if (!existsSync(data)) await initialise(program, data, passwordFile);
  const certificates = await certificatesIn(path.join(dir, 'tls'));
  giveToServer(certificates.keyFile);
  const logFile = path.join(dir, 'mariadb.log');
  const password = readFileSync(passwordFile, 'utf8');
  const start = async (port: number): Promise<LocalMariadb> => {
    const url = `mysql://root:${password}@127.0.0.1:${port}/mysql`;
    const server = await launch(options, { data, logFile, port, url, certificates });
    const { caFile } = certificates;
    return { ...server, url, port, caFile, logFile, binDir: path.dirname(program.command) };
  };
  return options.port === undefined ? onFreePort(start) : start(options.port);
}

interface Launch {
  readonly data: string;
  readonly logFile: string;
  readonly port: number;
  readonly url: string;
  readonly certificates: Certificates;
}

const launch = (
  { program, settings = [] }: MariadbOptions,
  { data, logFile, port, url, certificates }: Launch,
): Promise<RunningServer> =>
  startServer({
    name: 'MariaDB',
    command: program.command,
    args: [
      ...program.args,
      ...networking(port, certificates),
      ...settings.map((setting) => `--${setting}`),
      `--datadir=${data}`,
      // Safe when the server crashes, not when the machine does: the data belong to tests.
      '--innodb-flush-log-at-trx-commit=2',
      '--innodb-buffer-pool-size=16M',
    ],
    env: program.env,
    logFile,
    asNobody: true,
    stopSignal: 'SIGTERM',
    listeners: [
      {
        ...loopback(port),
        proof: { by: 'login', logIn: () => logIn(url, certificates.caFile) },
      },
    ],
  });

export interface MariadbProgram {
  readonly command: string;
  /** With these the program finds its files and reads no my.cnf. `--no-defaults` must be the first argument. */
  readonly args: readonly string[];
  readonly shareDir: string;
  readonly env: NodeJS.ProcessEnv;
}

/** The server and the libraries that not every Debian 12 has. */
const DEBIAN_PACKAGES = ['mariadb-server-core', 'libaio1', 'libnuma1', 'libssl3', 'liburing2'];

/**
 * An installed server that has what a new data folder needs, or the one of Debian's packages.
 * @throws Error that names what each server lacks
 */
export async function mariadbProgram(report: Report): Promise<MariadbProgram> {
  try {
    return await firstCapable([installed, fetched], ({ command }) => command, mariadbFlaw, report);
  } catch (error) {
    if (!(error instanceof NoneCapable)) throw error;
    const lines = error.reasons.map((line) => `  ${line}`);
    throw new Error(['No MariaDB 10.4 or newer here. What was tried:', ...lines].join('\n'));
  }
}

const installed: Source<MariadbProgram> = async () => {
  const dirs = ['/usr/sbin', ...(inheritedEnvironment().PATH ?? '').split(path.delimiter)];
  return [...new Set(dirs.filter((dir) => dir !== ''))]
    .map((dir) => path.resolve(dir, 'mariadbd'))
    .filter((file) => existsSync(file))
    .map((command) => programIn(path.resolve(command, '../..'), command, null));
};

const fetched: Source<MariadbProgram> = async (report) => {
  if (!onDebian()) return [];
  const root = await unpackedDebs('mariadb', DEBIAN_PACKAGES, report);
  const base = path.join(root, 'usr');
  return [programIn(base, path.join(base, 'sbin/mariadbd'), librariesIn(root))];
};

function programIn(base: string, command: string, libraryPath: string | null): MariadbProgram {
  const shareDirs = ['share/mysql', 'share/mariadb', 'share'].map((dir) => path.join(base, dir));
  const complete = shareDirs.find((dir) => existsSync(path.join(dir, SYSTEM_TABLES)));
  const shareDir = complete ?? path.join(base, 'share');
  return {
    command,
    args: ['--no-defaults', `--basedir=${base}`, `--lc-messages-dir=${shareDir}`],
    shareDir,
    env: serverEnvironment(libraryPath),
  };
}

/** What a server lacks, or null. The accounts of a new data folder are in a table that 10.4 introduced. */
export async function mariadbFlaw({
  command,
  shareDir,
  env,
}: MariadbProgram): Promise<string | null> {
  const { stdout } = await run(command, ['--no-defaults', '--version'], { env }).catch(() => ({
    stdout: '',
  }));
  const version = /Ver (\d+)\.(\d+)\.\S*MariaDB/.exec(stdout);
  if (version === null) return 'does not run, or is no MariaDB';
  const [major, minor] = [Number(version[1]), Number(version[2])];
  if (major < 10 || (major === 10 && minor < 4)) return `is ${major}.${minor}, older than 10.4`;
  const tables = path.join(shareDir, SYSTEM_TABLES);
  return existsSync(tables) ? null : `lacks ${tables}`;
}

const SYSTEM_TABLES = 'mysql_system_tables.sql';

/** As mariadb-install-db does, except that root is the only account and has a password from the start. */
async function initialise(
  { command, args, shareDir, env }: MariadbProgram,
  data: string,
  passwordFile: string,
): Promise<void> {
  const fresh = `${data}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { mode: 0o700 });
  giveToServer(fresh);
  const password = randomBytes(24).toString('base64url');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  // All rights. The number is too large for JavaScript.
  const access = '18446744073709551615';
  const root = `{"access":${access},"plugin":"mysql_native_password","authentication_string":"${nativeHash(password)}"}`;
  const sql = [
    'create database mysql;',
    'use mysql;',
    readFileSync(path.join(shareDir, SYSTEM_TABLES), 'utf8'),
    `insert into global_priv values ('127.0.0.1', 'root', '${root}');`,
  ];
  const bootstrap = spawn(command, [...args, '--bootstrap', `--datadir=${fresh}`], {
    env,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'pipe'],
    ...(isRoot ? NOBODY : {}),
  });
  const said: string[] = [];
  bootstrap.stderr.on('data', (chunk) => said.push(String(chunk)));
  bootstrap.stdin.end(sql.join('\n'));
  const code = await new Promise((resolve, reject) => {
    bootstrap.once('error', reject);
    bootstrap.once('close', resolve);
  });
  if (code !== 0) throw new Error(`mariadbd --bootstrap ended with ${code}:\n${said.join('')}`);
  renameSync(fresh, data);
}

function nativeHash(password: string): string {
  const once = createHash('sha1').update(password).digest();
  return `*${createHash('sha1').update(once).digest('hex').toUpperCase()}`;
}

const networking = (port: number, certificates: Certificates): readonly string[] => [
  '--bind-address=127.0.0.1',
  `--port=${port}`,
  // A short name in the data folder: the path of a socket may have 107 bytes only.
  '--socket=mariadb.sock',
  '--skip-name-resolve',
  '--require-secure-transport=on',
  `--ssl-ca=${certificates.caFile}`,
  `--ssl-cert=${certificates.certFile}`,
  `--ssl-key=${certificates.keyFile}`,
];

async function logIn(url: string, caFile: string): Promise<void> {
  const ssl = { ca: readFileSync(caFile, 'utf8'), verifyIdentity: true };
  const connection = await createConnection({ uri: url, ssl, connectTimeout: 2000 });
  await connection.end();
}
