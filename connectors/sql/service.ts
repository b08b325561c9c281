import type { ConnectorTools } from '../contract';
import { serviceLogins } from '../service-logins';
import { type Endpoint, serviceSecret } from './endpoint';
import type { SqlFailure } from './failures';
import { before, type Connect, type Sessions, type SqlSession, sessionsOf } from './sessions';

export interface ServiceSessions {
  readonly sessions: Sessions;
  /** With connections of its own, whatever became of those before: for `doctor`. */
  readonly anew: <T>(work: (sessions: Sessions) => Promise<T>) => Promise<T>;
}

/** Connections as the service account, which a wrong password does not lock out. */
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
    (how: 'inTurn' | 'anew'): Connect =>
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
    async anew(work) {
      const sessions = sessionsOf(connecting('anew'), 1);
      try {
        return await work(sessions);
      } finally {
        sessions.close();
      }
    },
  };
}
