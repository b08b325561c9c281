import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isRoot } from '../../local/places';
import { freePort, loopback } from '../../local/ports';
import { startServer } from '../../local/processes';

const PROGRAM = '/usr/sbin/pgbouncer';

/** Why no pool can be started here; null when one can. */
export const noPgBouncer = existsSync(PROGRAM) ? null : 'the package pgbouncer is not installed';

export interface Pool {
  /** The URL of the same database through the pool. */
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Starts a PgBouncer with few connections in front of a database.
 * @param further lines of its configuration
 */
export async function startPgBouncer(
  databaseUrl: string,
  mode: 'transaction' | 'session',
  further: readonly string[] = [],
): Promise<Pool> {
  const { hostname, port, username, password, pathname } = new URL(databaseUrl);
  const database = pathname.slice(1);
  const dir = mkdtempSync(path.join(isRoot ? '/var/tmp' : os.tmpdir(), 'lockstep-pool-'));
  chmodSync(dir, 0o755);
  const own = await freePort();
  const file = path.join(dir, 'pgbouncer.ini');
  const configuration = [
    '[databases]',
    `${database} = host=${hostname} port=${port} user=${username} password=${password}`,
    '[pgbouncer]',
    ...['listen_addr = 127.0.0.1', `listen_port = ${own}`, 'unix_socket_dir ='],
    ...['auth_type = any', 'server_tls_sslmode = require', `pool_mode = ${mode}`],
    ...['default_pool_size = 4', 'max_client_conn = 200'],
    ...further,
  ];
  writeFileSync(file, `${configuration.join('\n')}\n`, { mode: 0o644 });
  const server = await startServer({
    name: 'PgBouncer',
    command: PROGRAM,
    args: [file],
    logFile: path.join(dir, 'pgbouncer.log'),
    asNobody: true,
    stopSignal: 'SIGTERM',
    listeners: [{ ...loopback(own), proof: { by: 'owner' } }],
  });
  return {
    url: `postgres://${username}@127.0.0.1:${own}/${database}`,
    async stop() {
      await server.stop();
      rmSync(dir, { recursive: true });
    },
  };
}
