import { log } from '../../log';
import { type Caller, callerOf, noteUse } from '../../store/api-keys';
import type { Database } from '../../store/database';
import type { Scope } from '../../store/tables';
import { HttpProblem } from './problem';

/**
 * Finds the API key in an `Authorization` header.
 * @throws HttpProblem if there is no valid key, or the key does not have `scope` (`admin` has every scope)
 */
export type Authorize = (header: string | undefined, scope: Scope) => Promise<Caller>;

const BEARER = /^Bearer +(\S+)$/i;

export function authorizeWith(db: Database): Authorize {
  const noteUseOf = noteUseEachMinute(db);
  return async (header, scope) => {
    const key = BEARER.exec(header ?? '')?.[1];
    const caller = key === undefined ? null : await callerOf(db, key);
    if (caller === null) throw new HttpProblem('unauthenticated');
    noteUseOf(caller.keyId);
    if (!caller.scopes.includes(scope) && !caller.scopes.includes('admin'))
      throw new HttpProblem('forbidden');
    return caller;
  };
}

const NOTE_EVERY_MS = 60_000;

/** Records when a key was last used, at most once a minute per key. The request does not wait for it. */
function noteUseEachMinute(db: Database): (keyId: string) => void {
  const notedAt = new Map<string, number>();
  return (keyId) => {
    const now = performance.now();
    if (now - (notedAt.get(keyId) ?? Number.NEGATIVE_INFINITY) < NOTE_EVERY_MS) return;
    notedAt.set(keyId, now);
    noteUse(db, keyId).catch((error) =>
      log.debug('the time at which an API key was last used could not be recorded', { error }),
    );
  };
}
