import { cookieOf, setCookie } from './browser-request';
import type { Visit } from './pages';
import { isBackground } from './session';

/**
 * What the answer to a form hands to the next page of the same browser: the result of an act that is shown once, or what
 * was typed into a form that came after the session had ended. So a form is answered by a redirection, and loading its
 * page again repeats nothing. It is in a cookie, so that no address has it and any api process can read it.
 */
export type Handed = Readonly<Record<string, string>>;

/** Time enough to sign in. */
const LASTS_SECONDS = 900;
/** Browsers keep cookies of 4096 bytes. */
const MOST = 3_800;

/** The header that hands something to a page; nothing if it is too long for a cookie. @param page a path, maybe with a query */
export function handTo(visit: Visit, page: string, fields: Handed): Record<string, string> {
  const text = JSON.stringify({ page: pathOf(page), fields });
  const value = Buffer.from(text).toString('base64url');
  if (value.length > MOST) return {};
  const { request, deps } = visit;
  return { 'set-cookie': setCookie(request, deps.settings, 'handed', value, LASTS_SECONDS) };
}

/** What was handed to the page that the browser asks for; null if nothing was. */
export function handedTo({ request, deps }: Visit): Handed | null {
  const value = cookieOf(request, deps.settings, 'handed');
  if (value === null || request.method !== 'GET' || isBackground(request)) return null;
  const read = readHanded(value);
  return read?.page === request.path ? read.fields : null;
}

/** The header that ends it, so that it is shown once. */
export const takenFrom = ({ request, deps }: Visit): Record<string, string> => ({
  'set-cookie': setCookie(request, deps.settings, 'handed', null),
});

const pathOf = (page: string): string => page.split('?', 1)[0] ?? page;

function readHanded(value: string): { readonly page: unknown; readonly fields: Handed } | null {
  try {
    const { page, fields } = JSON.parse(Buffer.from(value, 'base64url').toString('utf8'));
    const texts = Object.entries(fields).filter(([, text]) => typeof text === 'string');
    return { page, fields: Object.fromEntries(texts) as Handed };
  } catch {
    return null;
  }
}
