import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createConnection } from 'mysql2/promise';
import { inheritedEnvironment } from '../config';
import { type Certificates, certificatesIn } from './certificates';
import { onDebian, type Report, unpackedDebs } from './debian';
import { isRoot, NOBODY } from './places';
import { freePort } from './ports';
import { type RunningServer, startServer } from './processes';
import { giveToServer, librariesIn, openServerDir, serverEnvironment } from './server-setup';

export interface MariadbOptions {
  /** Holds everything, and is kept. When we are root, nobody must be able to enter it: see `serverDir`. */
  readonly dir: string;
  readonly program: MariadbProgram;
  readonly port?: number;
  /** Further options of mariadbd, without the leading dashes. */
  readonly settings?: readonly string[];
}

export interface LocalMariadb extends RunningServer {
  /** Of root, with its password. It takes connections over TLS only. */
  readonly url: string;
  readonly port: number;
  readonly caFile: string;
  readonly logFile: string;
  readonly binDir: string;
}

/**
 * Starts the MariaDB of `dir`, after making it the first time, on loopback only and for TLS only.
 * @throws Error that says what is missing, or shows the end of the server's log
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
  const port = options.port ?? (await freePort());
  const url = `mysql://root:${readFileSync(passwordFile, 'utf8')}@127.0.0.1:${port}/mysql`;
  const server = await startServer({
    name: 'MariaDB',
    command: program.command,
    args: [
      ...program.args,
      ...networking(port, certificates),
      ...(options.settings ?? []).map((setting) => `--${setting}`),
      `--datadir=${data}`,
      // Safe against a crash of the server, though not of the machine: these data are tests'.
      '--innodb-flush-log-at-trx-commit=2',
      '--innodb-buffer-pool-size=16M',
    ],
    env: program.env,
    logFile,
    asNobody: true,
    stopSignal: 'SIGTERM',
    ready: () => answers(url, certificates.caFile),
  });
  const { caFile } = certificates;
  return { ...server, url, port, caFile, logFile, binDir: path.dirname(program.command) };
}

export interface MariadbProgram {
  readonly command: string;
  /** What it needs to find its files; `--no-defaults` must be the first argument. */
  readonly args: readonly string[];
  readonly shareDir: string;
  readonly env: NodeJS.ProcessEnv;
}

/** What the server needs beyond the packages that every Debian 12 has. */
const DEBIAN_PACKAGES = ['mariadb-server-core', 'libaio1', 'libnuma1', 'libssl3', 'liburing2'];

/**
 * An installed one, or that of Debian's packages.
 * @throws Error where neither can be had
 */
export async function mariadbProgram(report: Report): Promise<MariadbProgram> {
  const dirs = ['/usr/sbin', ...(inheritedEnvironment().PATH ?? '').split(path.delimiter)];
  const installed = dirs.map((dir) => path.join(dir, 'mariadbd')).find((file) => existsSync(file));
  if (installed !== undefined) return programIn(path.resolve(installed, '../..'), installed, null);
  if (!onDebian()) throw new Error('No mariadbd in PATH, and no Debian packages to unpack here');
  const root = await unpackedDebs('mariadb', DEBIAN_PACKAGES, report);
  const base = path.join(root, 'usr');
  return programIn(base, path.join(base, 'sbin/mariadbd'), librariesIn(root));
}

function programIn(base: string, command: string, libraryPath: string | null): MariadbProgram {
  const shareDir = ['share/mysql', 'share/mariadb', 'share']
    .map((dir) => path.join(base, dir))
    .find((dir) => existsSync(path.join(dir, SYSTEM_TABLES)));
  if (shareDir === undefined) throw new Error(`${command} is there, but not its ${SYSTEM_TABLES}`);
  return {
    command,
    args: ['--no-defaults', `--basedir=${base}`, `--lc-messages-dir=${shareDir}`],
    shareDir,
    env: serverEnvironment(libraryPath),
  };
}

const SYSTEM_TABLES = 'mysql_system_tables.sql';

/** As mariadb-install-db does it, but root is the only account, and has a password from the start. */
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
  // Every right; more than a JavaScript number holds.
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
  // In the data folder, by a short name: the path of a socket may have 107 bytes only.
  '--socket=mariadb.sock',
  '--skip-name-resolve',
  '--require-secure-transport=on',
  `--ssl-ca=${certificates.caFile}`,
  `--ssl-cert=${certificates.certFile}`,
  `--ssl-key=${certificates.keyFile}`,
];

async function answers(url: string, caFile: string): Promise<boolean> {
  try {
    const ssl = { ca: readFileSync(caFile, 'utf8'), verifyIdentity: true };
    const connection = await createConnection({ uri: url, ssl, connectTimeout: 2000 });
    await connection.end();
    return true;
  } catch {
    return false;
  }
}
