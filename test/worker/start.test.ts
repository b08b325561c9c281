import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { inheritedEnvironment } from '../../config';
import { certificatesIn } from '../../local/certificates';
import { isRoot, NOBODY } from '../../local/places';
import { freePort, loopback } from '../../local/ports';
import { createDatabase, type LocalPostgres, startPostgres } from '../../local/postgres';
import { type RunningServer, startServer } from '../../local/processes';
import { serverEnvironment } from '../../local/server-setup';
import { describeWith } from '../support/servers';
import { until } from '../support/until';

const root = path.resolve(__dirname, '../..');

describeWith(['postgres'], 'the process of a worker', () => {
  const dir = mkdtempSync(path.join(isRoot ? '/var/tmp' : os.tmpdir(), 'lockstep-start-'));
  const servers: RunningServer[] = [];
  beforeAll(() => chmodSync(dir, 0o755));
  afterAll(async () => {
    for (const server of servers) await server.stop();
    rmSync(dir, { recursive: true });
  });
  const started = async <Server extends RunningServer>(starting: Promise<Server>) => {
    const server = await starting;
    servers.unshift(server);
    return server;
  };

  /** Starts the server so that it refuses every connection with 57P03, as one does that recovers from a crash. */
  async function startRecovering({ binDir, port }: LocalPostgres): Promise<RunningServer> {
    const signal = path.join(dir, 'postgres/data/standby.signal');
    writeFileSync(signal, '');
    if (isRoot) chownSync(signal, NOBODY.uid, NOBODY.gid);
    const { certFile, keyFile } = await certificatesIn(path.join(dir, 'postgres/tls'));
    const settings = {
      ...{ hot_standby: 'off', listen_addresses: '127.0.0.1', unix_socket_directories: '' },
      ...{ ssl: 'on', ssl_cert_file: certFile, ssl_key_file: keyFile, max_connections: '200' },
      hba_file: path.join(dir, 'postgres/pg_hba.conf'),
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    return startServer({
      name: 'PostgreSQL in recovery',
      command: path.join(binDir, 'postgres'),
      args: ['-D', path.join(dir, 'postgres/data'), '-p', String(port), ...flags],
      env: serverEnvironment(null),
      logFile: path.join(dir, 'recovering.log'),
      asNobody: true,
      stopSignal: 'SIGINT',
      listeners: [{ ...loopback(port), proof: { by: 'owner' } }],
    });
  }

  async function startWorker(log: string, databaseUrl: string) {
    const opsPort = await freePort();
    const logFile = path.join(dir, log);
    const worker = await started(
      startServer({
        name: 'the worker',
        command: process.execPath,
        args: [
          ...['-r', path.join(root, 'test/support/typescript.cjs')],
          path.join(root, 'worker/main.ts'),
        ],
        env: {
          PATH: inheritedEnvironment().PATH,
          DATABASE_URL: databaseUrl,
          LOCKSTEP_KEY_DIR: path.join(dir, 'keys'),
          LOCKSTEP_WORKER_OPS_PORT: String(opsPort),
          TEMPORAL_ADDRESS: '127.0.0.1:1',
        },
        logFile,
        stopSignal: 'SIGTERM',
        listeners: [{ ...loopback(opsPort), proof: { by: 'owner' } }],
        readyTimeoutMs: 60_000,
      }),
    );
    const logged = () => readFileSync(logFile, 'utf8');
    const ready = async () => (await fetch(`http://127.0.0.1:${opsPort}/readyz`)).text();
    return { worker, logged, ready };
  }

  test('a worker that waits for its database can be stopped in order', async () => {
    const { worker, logged } = await startWorker('stopped.log', 'postgres://127.0.0.1:1/nothing');
    await until(() => logged().includes('no server listens there'));
    await worker.stop();
    expect(logged()).toContain('the worker was stopped before it was ready');
    expect(logged()).not.toContain('failed and exits');
  }, 90_000);

  test('a worker that starts while its database starts up waits for it', async () => {
    const options = { dir: path.join(dir, 'postgres'), durable: false, report: () => {} };
    const first = await startPostgres(options);
    const url = await createDatabase(first, 'lockstep');
    await first.stop();
    const recovering = await started(startRecovering(first));

    const { worker, logged, ready } = await startWorker('worker.log', url);
    await until(() => logged().includes('it is starting up or shutting down'));
    expect(logged()).toContain('57P03');
    expect(await ready()).toBe('missing: database\n');

    await recovering.stop();
    rmSync(path.join(dir, 'postgres/data/standby.signal'));
    await started(startPostgres({ ...options, port: first.port }));
    await until(() => logged().includes('the worker is up'));
    expect(await ready()).toContain('missing: engine');
    await worker.stop();
  }, 90_000);
});
