import { Socket } from 'node:net';
import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import type * as pg from 'pg';
import { authoritiesOf, type Endpoint } from './endpoint';
import { failureOfConnection, lost, type Reasons, reasonIn, type SqlFailure } from './failures';
import type { SqlSession } from './sessions';

/** What is used of `pg`, which the api must not load for this, so it arrives when a connector is opened. */
export type PgDriver = Pick<typeof pg, 'Client' | 'Connection'>;

export interface PostgresSession extends SqlSession {
  /** Calls back at each NOTIFY that the session listens to. */
  onNotification(callback: () => void): void;
}

/** Opens one connection as the service account. */
export async function connectPostgres(
  driver: PgDriver,
  endpoint: Endpoint,
  password: string,
  signal: AbortSignal,
): Promise<PostgresSession> {
  const { host, port, user, database } = endpoint;
  const socket = new Socket();
  const client = new driver.Client({
    stream: () => socket,
    ...{ host, port, user, password, database, ssl: tlsOf(endpoint) },
    application_name: 'lockstep',
    keepAlive: true,
    // Everything is text: nothing of what we read is a number or a date to us.
    types: { getTypeParser: () => (value: unknown) => value },
  });
  const destroy = () => socket.destroy();
  // Also errors between statements: the end of the connection is what counts.
  client.on('error', () => undefined);
  signal.addEventListener('abort', destroy, { once: true });
  try {
    await client.connect();
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', destroy);
  }
  return {
    async query(sql, values) {
      // Of several statements in one, the last says what was done.
      const results = [await client.query(sql, values && [...values])].flat();
      const last = results.at(-1);
      return { rows: last?.rows ?? [], count: last?.rowCount ?? 0 };
    },
    end() {
      socket.unref();
      void client.end();
    },
    destroy,
    onEnd: (callback) => client.once('end', callback),
    onNotification: (callback) => client.on('notification', () => callback()),
  };
}

/** As libpq's sslmode=verify-full. */
export function tlsOf(endpoint: Endpoint): ConnectionOptions {
  const name = endpoint.serverName ?? endpoint.host;
  return {
    ca: authoritiesOf(endpoint),
    servername: name,
    // The driver sets servername to host, and the certificate may hold another name.
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
  };
}

/**
 * SQLSTATE, exact or by class, as appendix A of the PostgreSQL manual has it. A kind adds what an error means for its
 * own statements.
 */
const reasons: Reasons = {
  '25006': 'read_only',
  '28': 'service_credential_refused',
  // Somebody else has locked the row.
  '40': 'account_in_use',
  '42501': 'no_rights',
  '53': 'busy',
  '55P03': 'account_in_use',
  // Our own statement_timeout, or an administrator.
  '57014': 'busy',
  '57': 'unreachable',
  '3D000': 'not_supported',
  // Text that no value of that type can be: it names nothing.
  '22021': 'no_account',
  '22P02': 'no_account',
};

/** The server ended the connection while it worked: the statement may have been done. */
const ENDING = ['57P01', '57P02', '08'];

export function postgresFailure(error: unknown, ofKind: Reasons): SqlFailure {
  const { code, severity, message } = error as Record<string, unknown>;
  if (typeof code === 'string' && typeof severity === 'string') {
    const reason = reasonIn({ ...reasons, ...ofKind }, code, 2);
    return { reason, vendorCode: code, answered: !ENDING.some((state) => code.startsWith(state)) };
  }
  // The driver gives it no code.
  if (message === 'The server does not support SSL connections')
    return lost('certificate_refused', 'no_tls');
  return failureOfConnection(error);
}
