import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Settings } from '../http/dependencies';
import { HttpProblem } from '../http/problem';

/** What the console reads from a request of a browser: its origin, its cookies and its language. */

export const isSecure = (request: IncomingMessage, { publicUrl }: Settings): boolean =>
  publicUrl.startsWith('https:') || (request.socket as TLSSocket).encrypted === true;

/**
 * Refuses a request that another site has sent (OWASP ASVS 5.0, 3.5.1). Browsers send Sec-Fetch-Site over https and to
 * this machine; otherwise the Origin must be our own. A request with neither is refused.
 * @throws HttpProblem `forbidden`
 */
export function requireSameOrigin(request: IncomingMessage, settings: Settings): void {
  const { origin, host = '' } = request.headers;
  const site = request.headers['sec-fetch-site'];
  const own = [
    `${isSecure(request, settings) ? 'https' : 'http'}://${host}`,
    ...(settings.publicUrl === '' ? [] : [new URL(settings.publicUrl).origin]),
  ];
  const isOwn = origin !== undefined && own.includes(origin);
  if (site === undefined ? !isOwn : site !== 'same-origin') throw new HttpProblem('forbidden');
}

/**
 * `session`: a member of the staff. `me`: a person. `sign-in`: an attempt at the identity provider. `change`: the one
 * change that the browser may follow. `link`: a one-time link. `handed`: what a form hands to the next page.
 */
export type CookieName = 'session' | 'me' | 'sign-in' | 'change' | 'link' | 'handed';

/** With TLS the name has the prefix `__Host-`, so that no other host or path of the domain can set the cookie. */
const fullName = (name: CookieName, secure: boolean): string =>
  `${secure ? '__Host-' : ''}lockstep-${name}`;

/** The value of a cookie; null if the browser sent none. */
export function cookieOf(
  request: IncomingMessage,
  settings: Settings,
  name: CookieName,
): string | null {
  const wanted = `${fullName(name, isSecure(request, settings))}=`;
  const all = (request.headers.cookie ?? '').split(';').map((part) => part.trim());
  return all.find((part) => part.startsWith(wanted))?.slice(wanted.length) ?? null;
}

/** The address of this api, as browsers know it. */
export const ownOrigin = (request: IncomingMessage, settings: Settings): string =>
  settings.publicUrl !== ''
    ? settings.publicUrl
    : `${isSecure(request, settings) ? 'https' : 'http'}://${request.headers.host ?? ''}`;

/**
 * The header that sets a cookie.
 * @param token null deletes the cookie
 * @param lastsSeconds when it ends; without it, the browser keeps it until it is closed
 */
export function setCookie(
  request: IncomingMessage,
  settings: Settings,
  name: CookieName,
  token: string | null,
  lastsSeconds?: number,
): string {
  const secure = isSecure(request, settings);
  const parts = ['Path=/', 'HttpOnly', 'SameSite=Lax', ...(secure ? ['Secure'] : [])];
  const seconds = token === null ? 0 : lastsSeconds;
  const life = seconds === undefined ? [] : [`Max-Age=${seconds}`];
  return [`${fullName(name, secure)}=${token ?? ''}`, ...parts, ...life].join('; ');
}
