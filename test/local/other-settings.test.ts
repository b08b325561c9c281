import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Client } from 'ldapts';
import { createConnection } from 'mysql2/promise';
import { mariadbProgram, startMariadb } from '../../local/mariadb';
import { superviseNode } from '../../local/node-process';
import { isRoot } from '../../local/places';
import { freePort, isFree, loopback } from '../../local/ports';
import { clientOf, createDatabase, startPostgres } from '../../local/postgres';
import { freeLoopback, startSamba } from '../../local/samba';
import { ssha, startSlapd } from '../../local/slapd';
import { Secret } from '../../model/passwords/secret';
import { occupy } from '../support/occupant';
import { useOtherSettings } from '../support/other-settings';
import { describeWith, server } from '../support/servers';

const report = () => {};
const PASSWORD = 'of the administrator';

describe('a machine with settings for other servers', () => {
  let dir: string;
  let putBack: () => void;

  beforeAll(() => {
    dir = mkdtempSync(path.join(isRoot ? '/var/tmp' : os.tmpdir(), 'ls-'));
    chmodSync(dir, 0o755);
    putBack = useOtherSettings(dir);
  });
  afterAll(() => {
    putBack();
    rmSync(dir, { recursive: true });
  });

  const folder = (name: string) => {
    mkdirSync(path.join(dir, name), { recursive: true });
    return path.join(dir, name);
  };

  test('PostgreSQL starts, and its databases are made and used as on any machine', async () => {
    const postgres = await startPostgres({ dir: folder('postgres'), durable: false, report });
    const client = clientOf({ connectionString: await createDatabase(postgres, 'one') });
    await client.connect();
    const { rows } = await client.query(
      `select current_user as user, current_setting('default_transaction_read_only') as read_only,
              current_setting('client_encoding') as encoding`,
    );
    expect(rows).toEqual([{ user: 'lockstep', read_only: 'off', encoding: 'UTF8' }]);
    await client.end();
    await postgres.stop();
  });

  describeWith(['slapd'], 'slapd', () => {
    test('slapd starts and serves LDAPS as on any machine', async () => {
      const adminHash = ssha(Secret.fromText(PASSWORD));
      const directory = { suffix: 'dc=one', adminHash, policy: {}, rules: [], ldif: '' };
      const slapd = await startSlapd({ dir: folder('slapd'), directories: [directory], report });
      const client = new Client({
        url: slapd.url,
        tlsOptions: { ca: [readFileSync(slapd.caFile)] },
      });
      await client.bind('cn=admin,dc=one', PASSWORD);
      await client.unbind();
      await slapd.stop();
    });
  });

  describeWith(['mariadb'], 'MariaDB', () => {
    test('MariaDB starts and accepts its root as on any machine', async () => {
      const program = await mariadbProgram(report);
      const mariadb = await startMariadb({ dir: folder('mariadb'), program });
      const ssl = { ca: readFileSync(mariadb.caFile, 'utf8'), verifyIdentity: true };
      const connection = await createConnection({ uri: mariadb.url, ssl });
      await connection.end();
      await mariadb.stop();
    });
  });

  describeWith(['samba'], 'Samba', () => {
    test('Samba makes and serves its domain as on any machine', async () => {
      const samba = await startSamba({
        dir: path.join(dir, 'samba'),
        address: await freeLoopback(),
        realm: 'hostile.lockstep.test',
      });
      const client = new Client({
        url: samba.url,
        tlsOptions: { ca: [readFileSync(samba.caFile)], servername: samba.serverName },
      });
      await client.bind(samba.adminDn, samba.adminPassword().text());
      await client.unbind();
      await samba.stop();
    }, 120_000);
  });

  describeWith(['temporal', 'postgres'], 'the worker', () => {
    test('the worker inherits no setting of the driver of PostgreSQL', async () => {
      const ops = await freePort();
      const { address = '', namespace = '' } = server('temporal');
      const url = new URL(server('postgres').url ?? '');
      const worker = await superviseNode({
        name: 'the worker',
        entry: 'dist/worker/main.js',
        env: {
          DATABASE_URL: await createDatabase({ url: url.href }, 'hostile_machine'),
          TEMPORAL_ADDRESS: address,
          TEMPORAL_NAMESPACE: namespace,
          LOCKSTEP_KEY_DIR: path.join(dir, 'keys'),
          LOCKSTEP_WORKER_OPS_PORT: String(ops),
        },
        logFile: path.join(dir, 'worker.log'),
        ports: [ops],
        readyUrl: `http://127.0.0.1:${ops}/readyz`,
      });
      const environ = readFileSync(`/proc/${worker.pid()}/environ`, 'utf8').split('\0');
      expect(environ.filter((line) => /^PG/.test(line))).toEqual([]);
      await worker.stop();
    });
  });
});

describe('a domain controller', () => {
  test('gets no address on which another server has one of its ports', async () => {
    // An installed slapd listens on every address.
    if (!(await isFree({ host: '0.0.0.0', port: 3268 }))) return;
    const everywhere = await occupy({ host: '0.0.0.0', port: 3268 });
    await expect(freeLoopback()).rejects.toThrow('A domain controller needs port 3268');
    await everywhere.stop();
    expect(await isFree(loopback(3268))).toBe(true);
  });
});
