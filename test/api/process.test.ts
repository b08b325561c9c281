import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { certificatesIn } from '../../local/certificates';
import { openDatabase } from '../../store/database';
import { ensureEpoch } from '../../store/worker/epochs';
import { startTestApi, type TestApi } from '../support/api';
import { testDatabase } from '../support/database';
import { follow } from '../support/event-stream';
import { addPerson, applyTestConfiguration } from '../support/played-worker';
import { keeps } from '../support/rules';
import { describeWith, server } from '../support/servers';
import { until } from '../support/until';

const body = { identity: 'alice', password: 'correct horse battery staple' };

describeWith(['postgres'], 'the process of the api', () => {
  const running: TestApi[] = [];
  const start = async (...args: Parameters<typeof startTestApi>) => {
    const api = await startTestApi(...args);
    running.push(api);
    return api;
  };
  afterEach(async () => {
    await Promise.all(running.splice(0).map((api) => api.stop()));
  });

  const ready = async (api: TestApi) => (await fetch(`${api.opsUrl}/readyz`)).text();

  test(
    keeps(
      'the API rejects passwords until a worker has published a key, and then accepts them',
      30,
    ),
    async () => {
      const api = await start({ worker: false });
      const { db } = api.database;
      await applyTestConfiguration(db);
      await addPerson(db, 'alice');
      const refused = await api.send('POST', '/v1/changes', { body });
      expect(refused.body).toMatchObject({ status: 503, code: 'no_epoch' });
      expect(await ready(api)).toBe('missing: epoch\n');
      await ensureEpoch(db, api.keys, 24);
      expect((await api.send('POST', '/v1/changes', { body })).status).toBe(202);
      expect(await ready(api)).toBe('ready\n');
    },
  );

  test('the API writes one first admin key that only its owner can read, and never a second', async () => {
    const database = await testDatabase();
    const same = { url: database.url, ...openDatabase(database.url, 'lockstep test') };
    const both = await Promise.all([start({ database }), start({ database: same, worker: false })]);
    expect((await database.pool.query('select from api_key')).rowCount).toBe(1);
    const written = both.filter(({ dir }) => existsSync(path.join(dir, 'admin-key')));
    expect(written).toHaveLength(1);
    for (const api of written) {
      expect(statSync(path.join(api.dir, 'admin-key')).mode & 0o777).toBe(0o600);
      expect((await api.send('GET', '/v1/keys')).status).toBe(200);
      await api.restart();
      expect((await api.send('GET', '/v1/keys')).status).toBe(200);
    }
    expect((await database.pool.query('select from api_key')).rowCount).toBe(1);
  });

  test('the fingerprint key is readable by its owner only and survives a restart', async () => {
    const api = await start();
    const file = path.join(api.dir, 'fingerprint.key');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const before = readFileSync(file);
    expect(before).toHaveLength(32);
    await applyTestConfiguration(api.database.db);
    await addPerson(api.database.db, 'alice');
    const headers = { 'idempotency-key': 'once' };
    const first = await api.send('POST', '/v1/changes', { body, headers });
    await api.restart();
    expect(readFileSync(file)).toEqual(before);
    const again = await api.send('POST', '/v1/changes', { body, headers });
    expect(again.body.id).toBe(first.body.id);
  });

  test('on SIGTERM waiting clients are answered and new ones are rejected', async () => {
    const api = await start();
    await applyTestConfiguration(api.database.db);
    await addPerson(api.database.db, 'alice');
    const { body: change } = await api.send('POST', '/v1/changes', { body });
    const events = follow(api, `/v1/changes/${change.id}/events`);
    expect(await events.next()).toMatchObject({ event: 'change' });
    const waiting = api.send('POST', '/v1/changes', { body, headers: { prefer: 'wait=60' } });
    await until(async () => {
      const { rowCount } = await api.database.pool.query('select from change');
      return rowCount === 2;
    });
    await api.stopProcess();
    expect((await waiting).status).toBe(202);
    expect(await events.next()).toBeNull();
    await expect(api.send('GET', '/v1/changes')).rejects.toThrow('fetch failed');
    expect(api.printed()).not.toContain('failed and exits');
  });

  test('the API loads no source drivers, no Temporal client and no code that opens sealed passwords', async () => {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-modules-'));
    const file = path.join(dir, 'modules');
    const preload = [path.join(__dirname, '../support/list-modules.cjs')];
    const api = await start({ preload, env: { MODULES_FILE: file } });
    await api.send('GET', '/docs/');
    await api.stopProcess();
    const modules = readFileSync(file, 'utf8');
    expect(modules).toMatch(/node_modules\/express\//);
    expect(modules).not.toMatch(/node_modules\/(?:@temporalio|ldapts|mysql2)\//);
    expect(modules).not.toMatch(/\/store\/keys\/|\/worker\/|\/activities\//);
  });

  describe('refuses to start', () => {
    const env = {
      DATABASE_URL: 'postgres://127.0.0.1:1/nothing',
      LOCKSTEP_SIGNER_FILE: '/nothing',
      LOCKSTEP_API_PORT: '0',
      LOCKSTEP_API_OPS_PORT: '0',
    };
    const dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-refused-'));
    const file = (name: string, mode: number, content: Buffer) => {
      const full = path.join(dir, name);
      writeFileSync(full, content);
      chmodSync(full, mode);
      return full;
    };
    const fingerprint = file('good.key', 0o600, Buffer.alloc(32, 1));
    const good = { ...env, LOCKSTEP_FINGERPRINT_KEY_FILE: fingerprint };

    test.each<[string, Record<string, string>, string]>([
      ['while NODE_DEBUG is set', { ...good, NODE_DEBUG: 'http' }, 'Unset NODE_DEBUG'],
      ['while DEBUG is set', { ...good, DEBUG: 'express:*' }, 'Unset DEBUG'],
      ['without a database', { ...good, DATABASE_URL: '' }, 'Set DATABASE_URL'],
      ['without a fingerprint key', env, 'Set LOCKSTEP_FINGERPRINT_KEY_FILE'],
      [
        'with a fingerprint key that others can read',
        { ...env, LOCKSTEP_FINGERPRINT_KEY_FILE: file('open.key', 0o644, Buffer.alloc(32)) },
        'can be read by other users',
      ],
      [
        'with half a fingerprint key',
        { ...env, LOCKSTEP_FINGERPRINT_KEY_FILE: file('half.key', 0o600, Buffer.alloc(16)) },
        'is not a key of 32 bytes',
      ],
      ['without TLS on every address', { ...good, LOCKSTEP_API_HOST: '0.0.0.0' }, 'unencrypted'],
      [
        'without TLS on a network address',
        { ...good, LOCKSTEP_API_HOST: '192.0.2.1' },
        'unencrypted',
      ],
      [
        'with a certificate and no key',
        { ...good, LOCKSTEP_API_TLS_CERT_FILE: '/nothing' },
        'Set both',
      ],
      [
        'without the certificate that is named',
        {
          ...good,
          LOCKSTEP_API_TLS_CERT_FILE: '/nothing.crt',
          LOCKSTEP_API_TLS_KEY_FILE: '/nothing.key',
        },
        'LOCKSTEP_API_TLS_CERT_FILE: /nothing.crt does not exist.',
      ],
      [
        'without the folder of the fingerprint key',
        { ...good, LOCKSTEP_FINGERPRINT_KEY_FILE: '/nothing/key' },
        'LOCKSTEP_FINGERPRINT_KEY_FILE: /nothing/key',
      ],
      [
        'with a file that is no signer',
        { ...good, LOCKSTEP_SIGNER_FILE: fingerprint },
        'does not hold the public key of a signer',
      ],
      ['with an unknown log level', { ...good, LOCKSTEP_LOG_LEVEL: 'loud' }, 'LOCKSTEP_LOG_LEVEL'],
      [
        'with a malformed database URL',
        { ...good, DATABASE_URL: 'postgres://a:b@:c' },
        'is not valid',
      ],
    ])('the API refuses to start %s', (_when, variables, says) => refusesToStart(variables, says));

    test('the API refuses to start when another process has its port, and names the variable', async () => {
      const other = net.createServer();
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      const { port } = other.address() as net.AddressInfo;
      for (const variable of ['LOCKSTEP_API_PORT', 'LOCKSTEP_API_OPS_PORT'])
        refusesToStart(
          { ...good, [variable]: String(port) },
          `${variable}: 127.0.0.1:${port}: another process has this port.`,
        );
      await new Promise((resolve) => other.close(resolve));
    });

    test.each<[string, (url: URL) => void, RegExp]>([
      [
        'a wrong password',
        (url) => Object.assign(url, { password: 'canary' }),
        /refuses the password of the user "lockstep"/,
      ],
      [
        'no password',
        (url) => Object.assign(url, { password: '' }),
        /requires a password of the user "lockstep"/,
      ],
      [
        'a database that does not exist',
        (url) => Object.assign(url, { pathname: '/nothing' }),
        /has no database "nothing"/,
      ],
      [
        'a certificate of another authority',
        (url) => url.searchParams.set('sslrootcert', server('postgres').otherCaFile ?? ''),
        /is not trusted. Add sslrootcert=FILE/,
      ],
      [
        'a missing certificate file',
        (url) => url.searchParams.set('sslrootcert', '/nothing.crt'),
        /DATABASE_URL: \/nothing.crt does not exist/,
      ],
    ])('the API refuses to start with %s in DATABASE_URL', (_what, change, says) => {
      const url = new URL(server('postgres').url ?? '');
      change(url);
      refusesToStart({ ...good, DATABASE_URL: url.href }, says);
    });

    function refusesToStart(variables: Record<string, string>, says: string | RegExp): void {
      const root = path.resolve(__dirname, '../..');
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        ['-r', path.join(root, 'test/support/typescript.cjs'), path.join(root, 'api/main.ts')],
        { env: variables, encoding: 'utf8', timeout: 30_000 },
      );
      expect([status, stderr]).toEqual([1, '']);
      const lines = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      const { level, error } = lines.at(-1);
      expect([level, error.name]).toEqual(['error', 'Misconfigured']);
      if (typeof says === 'string') expect(error.says).toContain(says);
      else expect(error.says).toMatch(says);
      expect(stdout).not.toContain('canary');
    }
  });

  test('the API serves TLS 1.2 or newer and no plain HTTP', async () => {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-tls-'));
    const files = await certificatesIn(dir);
    const api = await start({
      env: {
        LOCKSTEP_API_TLS_CERT_FILE: files.certFile,
        LOCKSTEP_API_TLS_KEY_FILE: files.keyFile,
        LOCKSTEP_API_HOST: '0.0.0.0',
      },
    });
    const { port } = new URL(api.url);
    const get = (options: https.RequestOptions) =>
      new Promise<number | undefined>((resolve, reject) => {
        https
          .get({
            port,
            path: '/openapi.json',
            ca: readFileSync(files.caFile),
            agent: false,
            ...options,
          })
          .once('response', (response) => resolve(response.resume().statusCode))
          .once('error', reject);
      });
    expect(await get({})).toBe(200);
    await expect(
      get({ maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    ).rejects.toThrow();
    await expect(fetch(`${api.url}/openapi.json`)).rejects.toThrow();
  });
});
