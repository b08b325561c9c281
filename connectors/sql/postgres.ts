import { Socket } from 'node:net';
import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import type * as pg from 'pg';
import { authoritiesOf, type Endpoint } from './endpoint';
import { failureOfConnection, lost, type Reasons, reasonIn, type SqlFailure } from './failures';
import type { SqlSession } from './sessions';

/** The used part of `pg`. It is passed in when a connector is opened, so that the api does not load it for this. */
export type PgDriver = Pick<typeof pg, 'Client' | 'Connection'>;

export interface PostgresSession extends SqlSession {
  /** Calls back at each NOTIFY on a channel to which the session listens. */
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
    // All values stay text, because no reader needs a number or a date.
    types: { getTypeParser: () => (value: unknown) => value },
  });
  const destroy = () => socket.destroy();
  // An error between statements must not be unhandled. The event "end" reports the end of the connection.
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
      // If the text contains several statements, the result is that of the last one.
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

/** TLS options that correspond to sslmode=verify-full of libpq. */
export function tlsOf(endpoint: Endpoint): ConnectionOptions {
  const name = endpoint.serverName ?? endpoint.host;
  return {
    ca: authoritiesOf(endpoint),
    servername: name,
    // The driver sets servername to host, but the certificate may hold another name.
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
  };
}

/**
 * Reasons by SQLSTATE or its class. Source: appendix A of the PostgreSQL manual. Each kind adds what an error means for
 * its own statements.
 */
const reasons: Reasons = {
  '25006': 'read_only',
  '28': 'service_credential_refused',
  // Another transaction has locked the row.
  '40': 'account_in_use',
  '42501': 'no_rights',
  '53': 'busy',
  '55P03': 'account_in_use',
  // Cancelled by our statement_timeout or by an administrator.
  '57014': 'busy',
  '57': 'unreachable',
  '3D000': 'not_supported',
  // The text is not a valid value of the type of the column, so it names no account.
  '22021': 'no_account',
  '22P02': 'no_account',
};

/** SQLSTATEs of a server that ended the connection during a statement, which may have been done. */
const ENDING = ['57P01', '57P02', '08'];

/** Translates an error of PostgreSQL. @param ofKind reasons for the statements of the kind, which take precedence */
export function postgresFailure(error: unknown, ofKind: Reasons): SqlFailure {
  const { code, severity, message } = error as Record<string, unknown>;
  if (typeof code === 'string' && typeof severity === 'string') {
    const reason = reasonIn({ ...reasons, ...ofKind }, code, 2);
    return { reason, vendorCode: code, answered: !ENDING.some((state) => code.startsWith(state)) };
  }
  // The driver reports this error without a code.
  if (message === 'The server does not support SSL connections')
    return lost('certificate_refused', 'no_tls');
  return failureOfConnection(error);
}
