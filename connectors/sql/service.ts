import type { ConnectorTools } from '../contract';
import { serviceLogins } from '../service-logins';
import { type Endpoint, serviceSecret } from './endpoint';
import type { SqlFailure } from './failures';
import { before, type Connect, type Sessions, type SqlSession, sessionsOf } from './sessions';

/** Connections of the service account. */
export interface ServiceSessions {
  readonly sessions: Sessions;
  /** Runs `work` with new connections, even if the password was refused before. `lockstep doctor` uses it. */
  readonly withOwnSessions: <T>(work: (sessions: Sessions) => Promise<T>) => Promise<T>;
}

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
