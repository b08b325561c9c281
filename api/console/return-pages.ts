import type { Request } from 'express';
import { type ConsolePage, redirect } from './pages';

/**
 * For each address that takes a form and shows no page: a way back to the page to which the form belongs. A browser opens
 * such an address when it goes back or loads the answer of a form again, and after a sign-in.
 */
export function returnPages(pages: readonly ConsolePage[]): readonly ConsolePage[] {
  const shown = new Set(pages.flatMap(({ method, path }) => (method === 'get' ? [path] : [])));
  return pages
    .filter(({ method, path }) => method === 'post' && !shown.has(path))
    .map(({ path, home = pageAbove(path, shown), failed }) => ({
      ...{ method: 'get', path, failed },
      handle: async ({ request }) => redirect(filled(home, request.params)),
    }));
}

/** The nearest page above an address, such as that of a source above a command for it. */
function pageAbove(path: string, shown: ReadonlySet<string>): string {
  const above = path.slice(0, path.lastIndexOf('/'));
  return above === '' || shown.has(above) ? above || '/' : pageAbove(above, shown);
}

const filled = (path: string, params: Request['params']): string =>
  path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(params[name] ?? '')));
