import type { Secret } from '../model/passwords/secret';

/** Serializes the logins of a service account, so that many simultaneous calls with a wrong secret cannot lock it out. */
export interface ServiceLogins {
  /** Throws the error of the last login with this secret, if the server refused it recently. */
  readonly throwIfRefused: (secret: Secret) => void;
  /**
   * Logs in after all logins that were requested before, unless the secret has been refused by then.
   * @throws what `logIn` throws, or the error of an earlier login with the same secret
   */
  readonly inTurn: <T>(secret: Secret, logIn: () => Promise<T>) => Promise<T>;
  /**
   * Logs in at once, even if the secret was refused before. `lockstep doctor` uses it, because an operator may just have
   * corrected the account in the server.
   */
  readonly immediately: <T>(secret: Secret, logIn: () => Promise<T>) => Promise<T>;
}

/**
 * Default time for which a refused secret is not sent again. It covers the logins that are already queued, which would
 * lock the service account. Later logins may succeed, because an operator may have corrected the account.
 */
const REFUSED_MS = 10_000;

/** Creates the queue of logins. @param isRefusal whether an error of a login means that the secret is wrong */
export function serviceLogins(
  isRefusal: (error: unknown) => boolean,
  refusedForMs = REFUSED_MS,
): ServiceLogins {
  let refused: { readonly secret: Secret; readonly until: number; readonly error: unknown } | null =
    null;
  let turn: Promise<unknown> = Promise.resolve();

  const forget = () => {
    refused?.secret.destroy();
    refused = null;
  };
  const throwIfRefused = (secret: Secret) => {
    if (refused !== null && performance.now() < refused.until && refused.secret.equals(secret))
      throw refused.error;
  };
  const immediately = async <T>(secret: Secret, logIn: () => Promise<T>): Promise<T> => {
    try {
      const done = await logIn();
      forget();
      return done;
    } catch (error) {
      if (isRefusal(error)) {
        forget();
        refused = { secret: secret.copy(), until: performance.now() + refusedForMs, error };
      }
      throw error;
    }
  };
  return {
    throwIfRefused,
    immediately,
    inTurn(secret, logIn) {
      const login = turn.then(() => {
        throwIfRefused(secret);
        return immediately(secret, logIn);
      });
      turn = login.catch(() => {});
      return login;
    },
  };
}
