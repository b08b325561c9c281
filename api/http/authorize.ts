import { log } from '../../log';
import { hasRight, type Right, scopesWith } from '../../model/api/scopes';
import { type Caller, callerOf, noteUse } from '../../store/api-keys';
import type { Database } from '../../store/database';
import { HttpProblem } from './problem';

/**
 * Finds the API key in the `Authorization` headers of a request.
 * @throws HttpProblem if there is no valid key, or more than one header, or none of the scopes of the key has the right
 */
export type Authorize = (headers: readonly string[], right: Right) => Promise<Caller>;

const BEARER = /^Bearer +(\S+)$/i;

/** @param find identifies the caller by the key that a request presented */
export function authorizeWith(
  db: Database,
  find: (presented: string) => Promise<Caller | null> = (key) => callerOf(db, key),
): Authorize {
  const noteUseOf = noteUseEachMinute(db);
  return async (headers, right) => {
    // A proxy may have checked another line than the one that would be used here (RFC 9110 §5.3).
    if (headers.length > 1) throw refused('request_invalid', 'invalid_request');
    const key = BEARER.exec(headers[0] ?? '')?.[1];
    if (key === undefined) throw new HttpProblem('unauthenticated');
    const caller = await find(key);
    if (caller === null) throw refused('unauthenticated', 'invalid_token');
    noteUseOf(caller.keyId);
    if (!hasRight(caller.scopes, right)) throw forbidden(right);
    return caller;
  };
}

/** A refusal with the error of RFC 6750 §3.1. */
const refused = (code: 'unauthenticated' | 'request_invalid', error: string): HttpProblem =>
  new HttpProblem(code, {}, { 'www-authenticate': `Bearer error="${error}"` });

/** The refusal of a key without a right, with the scopes that have it (RFC 6750 §3.1). */
function forbidden(right: Right): HttpProblem {
  const scopes = scopesWith(right);
  const challenge = `Bearer error="insufficient_scope", scope="${scopes[0] ?? ''}"`;
  return new HttpProblem('forbidden', { scopes }, { 'www-authenticate': challenge });
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
