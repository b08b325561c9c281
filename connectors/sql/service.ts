import { errors } from '../../model/errors';
import type { ConnectorTools } from '../contract';
import { serviceLogins } from '../service-logins';
import { type Endpoint, serviceSecret } from './endpoint';
import { NoConnection, type SqlFailure } from './failures';
import { before, type Connect, type Sessions, type SqlSession, sessionsOf } from './sessions';

/** Connections of the service account. */
export interface ServiceSessions {
  readonly sessions: Sessions;
  /** Runs `work` with new connections, even if the password was refused before. `lockstep doctor` uses it. */
  readonly withOwnSessions: <T>(work: (sessions: Sessions) => Promise<T>) => Promise<T>;
}

/**
 * A connection that cannot be opened concerns the source as a whole, such as a database that does not exist. So it never
 * rejects an account, whatever the same code means for a statement.
 */
const concerningTheSource = (error: unknown, { reason, vendorCode }: SqlFailure): unknown =>
  errors[reason].retry === 'rejected' ? new NoConnection('unreachable', vendorCode) : error;

/** Creates connections of the service account. Repeated logins with a wrong password cannot lock it out. */
export function serviceSessions(
  endpoint: Endpoint,
  tools: ConnectorTools,
  failureOf: (error: unknown) => SqlFailure,
  connect: (password: string, signal: AbortSignal) => Promise<SqlSession>,
): ServiceSessions {
  const logins = serviceLogins(
    (error) => failureOf(error).reason === 'service_credential_refused',
    tools.refusedForMs,
  );
  const connecting =
    (how: 'inTurn' | 'immediately'): Connect =>
    async (signal) => {
      const secret = serviceSecret(endpoint, tools);
      const logIn = () => {
        signal.throwIfAborted();
        return connect(secret.text(), signal);
      };
      try {
        return await before(signal, logins[how](secret, logIn));
      } catch (error) {
        throw concerningTheSource(error, failureOf(error));
      } finally {
        secret.destroy();
      }
    };
  return {
    sessions: sessionsOf(connecting('inTurn'), endpoint.poolSize),
    async withOwnSessions(work) {
      const sessions = sessionsOf(connecting('immediately'), 1);
      try {
        return await work(sessions);
      } finally {
        sessions.close();
      }
    },
  };
}
