import net from 'node:net';
import type { Connection, ConnectionOptions, ResultSetHeader, RowDataPacket } from 'mysql2';
import { authoritiesOf, type Endpoint } from './endpoint';
import { failureOfConnection, LOGIN_METHOD, lost, type SqlFailure } from './failures';
import { before, type SqlSession } from './sessions';

/** Opens one connection as the service account, to MySQL or MariaDB. */
export async function connectMysql(
  driver: { readonly createConnection: (options: ConnectionOptions) => Connection },
  endpoint: Endpoint,
  password: string,
  signal: AbortSignal,
): Promise<SqlSession> {
  const { host, port, user, database } = endpoint;
  const ssl = { ca: authoritiesOf(endpoint), rejectUnauthorized: true, verifyIdentity: true };
  const socket = net.connect({ host, port, noDelay: true, keepAlive: true });
  const connection = driver.createConnection({
    ...{ user, database, password, ssl, stream: () => socket },
    // The driver checks the certificate against `host`, and only if verifyIdentity is set.
    host: endpoint.serverName ?? host,
    // Without this, a server could read files of this machine.
    flags: ['-LOCAL_FILES'],
  });
  // An error between statements must not be unhandled. The socket reports the end of the connection.
  connection.on('error', () => undefined);
  const promise = connection.promise();
  try {
    await before(signal, promise.connect());
    await before(signal, promise.query(sessionSettings(endpoint)));
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return {
    async query(sql, values) {
      const [result] = await promise.execute<RowDataPacket[] | ResultSetHeader>(
        sql,
        values && [...values],
      );
      if (Array.isArray(result)) return { rows: result, count: result.length };
      return { rows: [], count: result.affectedRows };
    },
    end() {
      socket.unref();
      connection.end();
    },
    destroy: () => socket.destroy(),
    onEnd: (callback) => socket.once('close', callback),
  };
}

/**
 * Settings of each session. In strict mode the server rejects a hash that is too long for its column, instead of cutting
 * it short. A lock of another transaction is awaited for half of the time limit instead of the default of 50 s.
 */
const sessionSettings = ({ timeoutMs }: Endpoint): string =>
  `set session sql_mode = concat(@@sql_mode, ',STRICT_ALL_TABLES'),
       session innodb_lock_wait_timeout = ${Math.max(1, Math.floor(timeoutMs / 2000))}`;

/** Reasons by error number of MySQL and MariaDB. The names in the driver are wrong for the numbers of MariaDB. */
const reasons: Readonly<Record<number, SqlFailure['reason']>> = {
  1040: 'busy', // too many connections
  1203: 'busy', // too many connections of this user
  1205: 'account_in_use', // lock wait timeout
  1213: 'account_in_use', // deadlock
  1226: 'busy', // a resource limit of this user
  1317: 'busy', // interrupted
  1969: 'busy', // max_statement_time (MariaDB)
  3024: 'busy', // max_execution_time (MySQL)
  1045: 'service_credential_refused',
  1129: 'service_credential_refused', // host blocked after failed logins
  1130: 'service_credential_refused', // host not allowed
  1698: 'service_credential_refused',
  1862: 'service_credential_refused', // password expired
  3159: 'service_credential_refused', // TLS required of this user
  3955: 'service_credential_refused', // locked (MySQL)
  4151: 'service_credential_refused', // locked (MariaDB)
  1044: 'no_rights', // database
  1142: 'no_rights', // table
  1143: 'no_rights', // column
  1227: 'no_rights',
  1267: 'no_account', // text that the column has no characters for
  1292: 'no_account', // text that is no number, where the column holds numbers
  1049: 'not_supported', // no such database
  1054: 'not_supported', // no such column
  1146: 'not_supported', // no such table
  1265: 'not_supported', // data truncated
  1366: 'not_supported', // wrong value for the type
  1406: 'not_supported', // data too long
  1290: 'read_only',
  1792: 'read_only',
  1836: 'read_only',
  1644: 'policy', // a trigger's SIGNAL
  3819: 'policy', // CHECK (MySQL)
  4025: 'policy', // CHECK (MariaDB)
  1053: 'unreachable', // shutting down
  1927: 'unreachable', // connection killed (MariaDB)
};

/** Error numbers of a server that ended the connection during a statement, which may have been done. */
const ENDING = [1053, 1927];

/** Translates an error of MySQL or MariaDB. */
export function mysqlFailure(error: unknown): SqlFailure {
  const { errno, sqlState, code } = error as Record<string, unknown>;
  if (typeof errno === 'number' && typeof sqlState === 'string')
    return {
      reason: reasons[errno] ?? 'unknown',
      vendorCode: String(errno),
      answered: !ENDING.includes(errno),
    };
  const method = unsupportedLogin(error);
  if (method !== null) return lost('service_credential_refused', `${LOGIN_METHOD}${method}`);
  if (code === 'HANDSHAKE_NO_SSL_SUPPORT') return lost('certificate_refused', 'no_tls');
  if (code === 'HANDSHAKE_SSL_ERROR')
    return lost(cutInHandshake(error) ? 'unreachable' : 'certificate_refused', 'tls');
  return failureOfConnection(error);
}

/**
 * Returns the login method that the server requires of the account, if the driver does not support it; null for any other
 * error. The driver reports it only in its text.
 */
function unsupportedLogin(error: unknown): string | null {
  const { message, code } = error as { message?: unknown; code?: unknown };
  if (code === 'MYSQL_CLEAR_PASSWORD_NOT_ENABLED') return 'mysql_clear_password';
  const [, method] = /using unknown plugin (\w{1,64})\./.exec(String(message)) ?? [];
  return method ?? null;
}

/**
 * Whether the network failed during the TLS handshake, and not the certificate. The driver replaces the code of Node, so
 * other properties of the error of Node must decide.
 */
const cutInHandshake = (error: unknown): boolean =>
  error instanceof Error && ('syscall' in error || 'localAddress' in error);
