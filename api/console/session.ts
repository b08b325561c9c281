import type { IncomingMessage } from 'node:http';
import type { Caller } from '../../store/api-keys';
import { callerOfSession, endSession, type NewSession, startSession } from '../../store/sessions';
import { actorOf } from '../http/actor';
import { cookieOf, setCookie } from './browser-request';
import type { Visit } from './pages';

/** The two kinds of sessions: of staff, and of a person. One browser can have both. */
export type SessionCookie = 'session' | 'me';

/**
 * The session of the browser; null if it has none, it has ended, or it is of the other kind. A session of an API key is
 * one of staff, also when the key is bound to a person: only a sign-in at the provider stands for the current password.
 */
export async function sessionOf({ deps, request }: Visit, cookie: SessionCookie) {
  const token = cookieOf(request, deps.settings, cookie);
  const session =
    token === null ? null : await callerOfSession(deps.db, token, !isBackground(request));
  const isOfPerson = session?.isFromProvider === true && session.caller.identityId !== null;
  return isOfPerson === (cookie === 'me') ? session : null;
}

/** True for a request that a script makes by itself: it is no visit of the user, and starts no sign-in. */
export const isBackground = ({ headers }: IncomingMessage): boolean =>
  headers['x-lockstep-live'] !== undefined || headers.accept === 'text/event-stream';

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
