import { log } from '../../log';
import { type Caller, callerOf, noteUse } from '../../store/api-keys';
import type { Database } from '../../store/database';
import type { Scope } from '../../store/tables';
import { HttpProblem } from './problem';

/** @throws HttpProblem when the header holds no key that is allowed `scope` */
export type Authorize = (header: string | undefined, scope: Scope) => Promise<Caller>;

const BEARER = /^Bearer +(\S+)$/i;

export function authorizeWith(db: Database): Authorize {
  const note = noteUseNowAndThen(db);
  return async (header, scope) => {
    const key = BEARER.exec(header ?? '')?.[1];
    const caller = key === undefined ? null : await callerOf(db, key);
    if (caller === null) throw new HttpProblem('unauthenticated');
    note(caller.keyId);
    if (!caller.scopes.includes(scope) && !caller.scopes.includes('admin'))
      throw new HttpProblem('forbidden');
    return caller;
  };
}

const NOTE_EVERY_MS = 60_000;

/** Behind the request, which need not wait for it. */
function noteUseNowAndThen(db: Database): (keyId: string) => void {
  const notedAt = new Map<string, number>();
  return (keyId) => {
    const now = performance.now();
    if (now - (notedAt.get(keyId) ?? Number.NEGATIVE_INFINITY) < NOTE_EVERY_MS) return;
    notedAt.set(keyId, now);
    noteUse(db, keyId).catch((error) => log.debug('cannot note the use of a key', { error }));
  };
}
