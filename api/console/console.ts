import type { RequestHandler } from 'express';
import type { Dependencies } from '../http/dependencies';
import { assetPages } from './assets';
import { connectionPages } from './connections';
import { deskPages } from './desk';
import { handlersOf } from './pages';
import { personPages } from './person';
import { settingsPages } from './settings';
import { signInPages } from './staff';

/** Everything that the console serves: the pages, and the files that they load. */
export function consoleRoutes(deps: Dependencies): {
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly handlers: readonly RequestHandler[];
}[] {
  const pages = [
    ...personPages(() => deps.settings.consoleKey),
    ...signInPages(),
    ...deskPages(),
    ...settingsPages(),
    ...connectionPages(),
  ];
  return [
    ...assetPages.map(({ path, send }) => ({ method: 'get' as const, path, handlers: [send] })),
    ...pages.map((page) => ({
      method: page.method,
      path: page.path,
      handlers: handlersOf(deps, page),
    })),
  ];
}
