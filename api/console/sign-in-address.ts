import type { Visit } from './pages';
import { ownPage } from './sign-in/attempt';
import { SIGN_IN } from './sign-in/key-pages';

/** The sign-in that leads back to this page. It says that a form which came too late did nothing. */
export const signInFor = (visit: Visit): string =>
  `${SIGN_IN}?${new URLSearchParams({
    to: pageOf(visit),
    ...(visit.request.method === 'POST' ? { ended: '1' } : {}),
  })}`;

/** The repeated sign-in that leads back to this page. */
export const signInAgain = (visit: Visit): string =>
  `${SIGN_IN}?${new URLSearchParams({ to: pageOf(visit), again: '1' })}`;

/** The page that the browser shows: for a form, the page that has it. */
export function pageOf({ request }: Visit): string {
  if (request.method === 'GET') return ownPage(request.originalUrl);
  const { referer = '', host } = request.headers;
  if (!URL.canParse(referer)) return '/console';
  const from = new URL(referer);
  return from.host === host ? ownPage(`${from.pathname}${from.search}`) : '/console';
}
