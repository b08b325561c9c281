import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { type LocalMariadb, mariadbProgram, startMariadb } from '../../local/mariadb';
import { isRoot } from '../../local/places';
import { freePort } from '../../local/ports';
import { describeWith } from '../support/servers';

describeWith(['mariadb'], 'startMariadb', () => {
  const running: LocalMariadb[] = [];
  let dir = '';

  /** A path with a space that is too long for a socket. */
  beforeEach(() => {
    const parent = isRoot ? '/var/tmp' : os.tmpdir();
    dir = mkdtempSync(path.join(parent, `lockstep mariadb ${'long'.repeat(25)}-`));
    chmodSync(dir, 0o755);
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.stop()));
    rmSync(dir, { recursive: true, force: true });
  });

  async function start(port?: number): Promise<LocalMariadb> {
    const program = await mariadbProgram(() => {});
    const server = await startMariadb({ dir, program, ...(port === undefined ? {} : { port }) });
    running.push(server);
    return server;
  }

  async function using<T>(
    { url, caFile }: LocalMariadb,
    work: (connection: Connection) => Promise<T>,
  ): Promise<T> {
    const ssl = { ca: readFileSync(caFile, 'utf8'), verifyIdentity: true };
    const connection = await createConnection({ uri: url, ssl });
    try {
      return await work(connection);
    } finally {
      await connection.end();
    }
  }

  test('a killed server starts again on the same folder and port with all confirmed data', async () => {
    const port = await freePort();
    const first = await start(port);
    await using(first, async (connection) => {
      await connection.query('create database kept');
      await connection.query('create table kept.answers (n int) engine=innodb');
      await connection.query('insert into kept.answers values (42)');
    });
    process.kill(first.pid, 'SIGKILL');
    await first.exited;
    const second = await start(port);
    expect(second.port).toBe(port);
    const [rows] = await using(second, (connection) =>
      connection.query<RowDataPacket[]>('select n from kept.answers'),
    );
    expect(rows).toEqual([{ n: 42 }]);
  });

  test('only root may log in, with a password, over TLS, from loopback', async () => {
    const server = await start();
    const [accounts] = await using(server, (connection) =>
      connection.query<RowDataPacket[]>(
        `select user, host from mysql.global_priv where json_value(priv, '$.account_locked') is null`,
      ),
    );
    expect(accounts).toEqual([{ user: 'root', host: '127.0.0.1' }]);
    await expect(createConnection({ uri: server.url })).rejects.toMatchObject({ errno: 1045 });
    const nameless = new URL(server.url);
    nameless.password = '';
    const ssl = { ca: readFileSync(server.caFile, 'utf8'), verifyIdentity: true };
    await expect(createConnection({ uri: nameless.href, ssl })).rejects.toMatchObject({
      errno: 1045,
    });
  });

  test('the password of root is in one file that only its owner may read, and not on a command line or in an environment', async () => {
    const server = await start();
    const password = new URL(server.url).password;
    const file = path.join(dir, 'password');
    expect(readFileSync(file, 'utf8')).toBe(password);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    for (const what of ['cmdline', 'environ'])
      expect(readFileSync(`/proc/${server.pid}/${what}`, 'latin1')).not.toContain(password);
  });
});
