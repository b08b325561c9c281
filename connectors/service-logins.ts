import type { Secret } from '../model/passwords/secret';

/** Logins of a service account, which must not lock itself out however many ask for one at the same time. */
export interface ServiceLogins {
  /** Throws what the server said when it refused this very secret a moment ago. */
  readonly mayTry: (secret: Secret) => void;
  /**
   * Logs in after all others that came before, unless the secret is refused meanwhile.
   * @throws what `logIn` throws, or threw for somebody else with the same secret
   */
  readonly inTurn: <T>(secret: Secret, logIn: () => Promise<T>) => Promise<T>;
  /** At once, and whatever was said before: somebody put something right, and asks whether it is. */
  readonly anew: <T>(secret: Secret, logIn: () => Promise<T>) => Promise<T>;
}

/**
 * A secret that was refused is not sent again for so long: those who were on their way would lock the service account.
 * Who comes later was told to come, because something was put right in the server.
 */
const REFUSED_MS = 10_000;

/** @param isRefusal whether what a login threw says that the secret is wrong */
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
  const mayTry = (secret: Secret) => {
    if (refused !== null && performance.now() < refused.until && refused.secret.equals(secret))
      throw refused.error;
  };
  const anew = async <T>(secret: Secret, logIn: () => Promise<T>): Promise<T> => {
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
    mayTry,
    anew,
    inTurn(secret, logIn) {
      const mine = turn.then(() => {
        mayTry(secret);
        return anew(secret, logIn);
      });
      turn = mine.catch(() => {});
      return mine;
    },
  };
}
