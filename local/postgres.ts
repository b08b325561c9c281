import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client, type ClientConfig } from 'pg';
import { type Certificates, certificatesIn } from './certificates';
import type { Report } from './debian';
import { isRoot, NOBODY } from './places';
import { loopback, onFreePort } from './ports';
import { type PostgresBinaries, postgresBinaries } from './postgres-binaries';
import { type RunningServer, startServer } from './processes';
import { giveToServer, openServerDir, serverEnvironment } from './server-setup';
import { keepRunning } from './supervise';

const run = promisify(execFile);

export interface PostgresOptions {
  /** Holds everything from one start to the next. When we are root, the user nobody must be able to enter it: see `serverDir`. */
  readonly dir: string;
  readonly report: Report;
  /** Any free port without it. A server that starts again for the same clients needs its old port. */
  readonly port?: number;
  /** False is faster and safe when the server crashes, not when the machine does. For tests. */
  readonly durable?: boolean;
  /** Further settings, as in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Extensions that the server can create. */
  readonly extensions?: readonly string[];
  /** Those of `postgresBinaries` without it. */
  readonly binaries?: PostgresBinaries;
}

export interface LocalPostgres extends RunningServer {
  /** For the superuser, with its password. Fits `pg`, `psql` and `DATABASE_URL`. */
  readonly url: string;
  readonly port: number;
  readonly caFile: string;
  readonly logFile: string;
  readonly binDir: string;
}

const SUPERUSER = 'lockstep';
const VACATE_TIMEOUT_MS = 10_000;

/**
 * Starts the PostgreSQL of `dir`. The first start makes its data. It listens on loopback only, and accepts only logins by
 * SCRAM over TLS, also from its superuser, so that the demo and the tests connect as in production.
 * @throws Error that names what is missing, or with the end of the server's log
 */
export async function startPostgres(options: PostgresOptions): Promise<LocalPostgres> {
  const dir = openServerDir(options.dir);
  const files = {
    data: path.join(dir, 'data'),
    hba: path.join(dir, 'pg_hba.conf'),
    log: path.join(dir, 'postgres.log'),
    password: path.join(dir, 'password'),
  };
  const binaries =
    options.binaries ??
    (await postgresBinaries(options.report, {
      major: majorOf(files.data),
      extensions: options.extensions ?? [],
    }));
  const env = serverEnvironment(binaries.libraryPath);
  if (!existsSync(files.data)) await initialise(binaries, env, files);
  await vacated(files.data);
  const certificates = await certificatesIn(path.join(dir, 'tls'));
  giveToServer(certificates.keyFile);
  writeFileSync(files.hba, 'hostssl all all 127.0.0.1/32 scram-sha-256\n');
  chmodSync(files.hba, 0o644);
  const { caFile } = certificates;
  const start = async (port: number): Promise<LocalPostgres> => {
    const url = superuserUrl(port, readFileSync(files.password, 'utf8'), caFile);
    const server = await startServer({
      name: 'PostgreSQL',
      command: path.join(binaries.binDir, 'postgres'),
      args: [
        ...['-D', files.data, '-p', String(port)],
        ...settings(options, files.hba, certificates).flatMap((setting) => ['-c', setting]),
      ],
      env,
      logFile: files.log,
      asNobody: true,
      // A fast shutdown: connections are closed, and the data are written.
      stopSignal: 'SIGINT',
      listeners: [{ ...loopback(port), proof: { by: 'login', logIn: () => logIn(url) } }],
    });
    return { ...server, url, port, caFile, logFile: files.log, binDir: binaries.binDir };
  };
  return options.port === undefined ? onFreePort(start) : start(options.port);
}

/** Starts the PostgreSQL of `dir`, and starts it again on the same port when it ends before `stop`. */
export async function supervisePostgres(options: PostgresOptions): Promise<LocalPostgres> {
  const first = await startPostgres(options);
  return keepRunning(first, () => startPostgres({ ...options, port: first.port }));
}

/**
 * A client of one of our servers. `pg` reads what it is not given from PG… variables, which are about a server of the
 * machine, so it is given all of it.
 */
export const clientOf = (config: ClientConfig): Client =>
  new Client({ connectionTimeoutMillis: CONNECT_TIMEOUT_MS, ...explicit, ...config });

const CONNECT_TIMEOUT_MS = 10_000;

/** An empty setting would count as none. */
const explicit = {
  options: ' ',
  client_encoding: 'UTF8',
  application_name: 'lockstep local',
  sslnegotiation: 'postgres',
  replication: 'false',
} as const;

/**
 * A database for one test file or application. It is made when it is missing.
 * @returns its URL
 */
export async function createDatabase(
  server: { readonly url: string },
  name: string,
): Promise<string> {
  const client = clientOf({ connectionString: server.url });
  await client.connect();
  try {
    await client.query(`create database ${client.escapeIdentifier(name)}`);
  } catch (error) {
    const alreadyThere = (error as { code?: string }).code === '42P04';
    if (!alreadyThere) throw error;
  } finally {
    await client.end();
  }
  const url = new URL(server.url);
  url.pathname = encodeURI(name);
  return url.href;
}

function settings(
  { durable = true, settings: further = {} }: PostgresOptions,
  hbaFile: string,
  certificates: Certificates,
): readonly string[] {
  const all = {
    listen_addresses: '127.0.0.1',
    // No client needs a socket, whose path may have 107 bytes only.
    unix_socket_directories: '',
    hba_file: hbaFile,
    ssl: 'on',
    ssl_cert_file: certificates.certFile,
    ssl_key_file: certificates.keyFile,
    shared_buffers: '32MB',
    max_connections: '200',
    jit: 'off',
    ...(durable ? {} : { fsync: 'off', full_page_writes: 'off' }),
    ...further,
  };
  return Object.entries(all).map(([name, value]) => `${name}=${value}`);
}

/** Renamed when it is complete, so that a later start does not use data that an interrupted one left. */
async function initialise(
  { binDir }: PostgresBinaries,
  env: NodeJS.ProcessEnv,
  files: { readonly data: string; readonly password: string },
): Promise<void> {
  const fresh = `${files.data}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { mode: 0o700 });
  rmSync(files.password, { force: true });
  writeFileSync(files.password, randomBytes(24).toString('base64url'), { mode: 0o600 });
  giveToServer(fresh);
  giveToServer(files.password);
  // Every machine has this locale. It sorts text by bytes.
  const flags = ['--auth=scram-sha-256', '--encoding=UTF8', '--locale=C'];
  await run(
    path.join(binDir, 'initdb'),
    [...flags, `--username=${SUPERUSER}`, `--pwfile=${files.password}`, `--pgdata=${fresh}`],
    { env, cwd: '/', ...(isRoot ? NOBODY : {}) },
  );
  renameSync(fresh, files.data);
}

function majorOf(data: string): number | null {
  const file = path.join(data, 'PG_VERSION');
  return existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : null;
}

/**
 * Waits until no PostgreSQL works in the data folder. When the postmaster was killed, its children keep the memory that a
 * new one needs for a moment. After that a pid file in the folder is stale. Its number may now belong to another process
 * of the same user, which PostgreSQL would mistake for a postmaster.
 */
async function vacated(data: string): Promise<void> {
  if (!existsSync('/proc/self/cwd')) return;
  const real = realpathSync(data);
  for (const deadline = Date.now() + VACATE_TIMEOUT_MS; ; await sleep(20)) {
    const tenant = readdirSync('/proc').find((pid) => isPostgresOn(real, pid));
    if (tenant === undefined) break;
    if (Date.now() > deadline)
      throw new Error(`A PostgreSQL runs on ${data} already (process ${tenant}). Stop it first.`);
  }
  const pidFile = path.join(data, 'postmaster.pid');
  const holder = existsSync(pidFile) ? Number.parseInt(readFileSync(pidFile, 'utf8'), 10) : null;
  if (holder !== null && existsSync(`/proc/${holder}`)) rmSync(pidFile);
}

function isPostgresOn(data: string, pid: string): boolean {
  try {
    const program = path.basename(readlinkSync(`/proc/${pid}/exe`));
    return program.startsWith('postgres') && readlinkSync(`/proc/${pid}/cwd`) === data;
  } catch {
    // Not a process, or ended by now, or of another user.
    return false;
  }
}

function superuserUrl(port: number, password: string, caFile: string): string {
  const tls = `sslmode=verify-full&sslrootcert=${encodeURIComponent(caFile)}`;
  return `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres?${tls}`;
}

/** The server proves itself, too: by its certificate, and because SCRAM is mutual (RFC 5802). */
async function logIn(url: string): Promise<void> {
  const client = clientOf({ connectionString: url, connectionTimeoutMillis: 2_000 });
  // Without a listener, a server that ends now would end us.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } finally {
    await client.end();
  }
}
