import type { Caller } from '../../store/api-keys';
import { callerOfSession, endSession, type NewSession, startSession } from '../../store/sessions';
import { actorOf } from '../http/actor';
import { cookieOf, setCookie } from './browser-request';
import type { Visit } from './pages';

/** The two kinds of sessions: of staff, and of a person. One browser can have both. */
export type SessionCookie = 'session' | 'me';

/** The session of the browser; null if it has none, or it has ended. */
export function sessionOf({ deps, request }: Visit, cookie: SessionCookie) {
  const token = cookieOf(request, deps.settings, cookie);
  const isVisit = request.headers['x-lockstep-live'] === undefined;
  return token === null ? Promise.resolve(null) : callerOfSession(deps.db, token, isVisit);
}

/** Starts a session in place of the one that the browser has. @returns the header that sets the cookie */
export async function signInAs(
  visit: Visit,
  cookie: SessionCookie,
  caller: Caller,
  session: Omit<NewSession, 'by'>,
): Promise<string> {
  const { deps, request } = visit;
  const earlier = await sessionOf(visit, cookie);
  const token = await startSession(deps.db, caller, { by: actorOf(caller), ...session });
  if (earlier !== null) await endSession(deps.db, earlier.sessionId, actorOf(earlier.caller));
  return setCookie(request, deps.settings, cookie, token);
}

/** Ends the session of the browser. @returns the header that deletes the cookie */
export async function signOutOf(visit: Visit, cookie: SessionCookie): Promise<string> {
  const { deps, request } = visit;
  const session = await sessionOf(visit, cookie);
  if (session !== null) await endSession(deps.db, session.sessionId, actorOf(session.caller));
  return setCookie(request, deps.settings, cookie, null);
}

/** Whether the user proved who they are a moment ago. */
export const isRecent = (
  { deps }: Visit,
  { authenticatedAgoMs }: { readonly authenticatedAgoMs: number | null },
): boolean => authenticatedAgoMs !== null && authenticatedAgoMs < deps.settings.recentSignInMs;
