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
import { Client } from 'pg';
import { type Certificates, certificatesIn } from './certificates';
import type { Report } from './debian';
import { isRoot, NOBODY } from './places';
import { freePort } from './ports';
import { type PostgresBinaries, postgresBinaries } from './postgres-binaries';
import { type RunningServer, startServer } from './processes';
import { giveToServer, openServerDir, serverEnvironment } from './server-setup';

const run = promisify(execFile);

export interface PostgresOptions {
  /** Holds everything, and is kept. When we are root, nobody must be able to enter it: see `serverDir`. */
  readonly dir: string;
  readonly report: Report;
  /** Any free port without it. A server that comes back for the same clients needs its old one. */
  readonly port?: number;
  /** False gives up safety against a crash of the machine (not of the server) for speed: for tests. */
  readonly durable?: boolean;
  /** Further settings, as in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Found by `postgresBinaries` without it. */
  readonly binaries?: PostgresBinaries;
}

export interface LocalPostgres extends RunningServer {
  /** Of the superuser, with its password: for `pg`, `psql` and `DATABASE_URL`. */
  readonly url: string;
  readonly port: number;
  readonly caFile: string;
  readonly logFile: string;
  readonly binDir: string;
}

const SUPERUSER = 'lockstep';
const VACATE_TIMEOUT_MS = 10_000;

/**
 * Starts the PostgreSQL of `dir`, after making it the first time. It listens on loopback only, and takes logins only
 * by SCRAM over TLS, its own superuser's too: so the demo and the tests connect as a production does.
 * @throws Error that says what is missing, or shows the end of the server's log
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
    options.binaries ?? (await postgresBinaries(options.report, majorOf(files.data)));
  const env = serverEnvironment(binaries.libraryPath);
  if (!existsSync(files.data)) await initialise(binaries, env, files);
  await vacated(files.data);
  const certificates = await certificatesIn(path.join(dir, 'tls'));
  giveToServer(certificates.keyFile);
  writeFileSync(files.hba, 'hostssl all all 127.0.0.1/32 scram-sha-256\n');
  chmodSync(files.hba, 0o644);
  const port = options.port ?? (await freePort());
  const url = superuserUrl(port, readFileSync(files.password, 'utf8'), certificates.caFile);
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
    // A fast shutdown: clients are cut off, and the data are written.
    stopSignal: 'SIGINT',
    ready: () => answers(url),
  });
  const { caFile } = certificates;
  return { ...server, url, port, caFile, logFile: files.log, binDir: binaries.binDir };
}

/**
 * A database of its own, for a test file or an application; made when it is not there.
 * @returns its URL
 */
export async function createDatabase(
  server: { readonly url: string },
  name: string,
): Promise<string> {
  const client = new Client({ connectionString: server.url });
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
    // The path of a socket may have 107 bytes only, and nobody needs one.
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

/** It is ready, or not at all: a half made one would be taken for whole after a crash. */
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
  // The locale that is everywhere: text sorts by its bytes, on every machine alike.
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
 * Waits until no PostgreSQL works in the data folder: when the postmaster was killed, its children hold on for a moment
 * to the memory that a new one needs. Then a pid file there is stale, and its number may meanwhile be that of another
 * server of nobody, which PostgreSQL would take for a postmaster.
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
    // Not a process, gone meanwhile, or of somebody else.
    return false;
  }
}

function superuserUrl(port: number, password: string, caFile: string): string {
  const tls = `sslmode=verify-full&sslrootcert=${encodeURIComponent(caFile)}`;
  return `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres?${tls}`;
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2000 });
  // A server that goes away while we ask is an answer too.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end();
  }
}
