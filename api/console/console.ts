import type { RequestHandler } from 'express';
import type { Dependencies } from '../http/dependencies';
import { HttpProblem } from '../http/problem';
import { adapterPages } from './adapters';
import { assetPages } from './assets';
import { connectPages } from './connect';
import { connectionPages } from './connections';
import { deskPages } from './desk';
import { groupPages } from './groups';
import { keyPages } from './keys';
import { linkPages } from './link';
import { mappingImportPages } from './mapping-import';
import { mePages } from './me';
import { oneTimeLinkPages } from './one-time-link';
import { ownApplicationPages } from './own-applications';
import { type ConsolePage, handlersOf } from './pages';
import { personPages } from './person';
import { returnPages } from './return-pages';
import { settingsPages } from './settings';
import { staffSignInPages } from './sign-in/key-pages';
import { providerPages } from './sign-in/provider-pages';
import { staffFailed } from './staff';

/** For an address of the console that does not exist, such as one of an old bookmark. */
const noPage: ConsolePage = {
  method: 'get',
  path: '/console/*rest',
  handle: async () => {
    throw new HttpProblem('not_found');
  },
  failed: staffFailed(null),
};

/** Everything that the console serves: the pages, and the files that they load. */
export function consoleRoutes(deps: Dependencies): {
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly handlers: readonly RequestHandler[];
}[] {
  const pages = [
    ...personPages(() => deps.settings.consoleKey),
    ...mePages(),
    ...ownApplicationPages(),
    ...linkPages(),
    ...staffSignInPages(),
    ...providerPages(),
    ...deskPages(),
    ...keyPages(),
    ...oneTimeLinkPages(),
    ...settingsPages(),
    ...connectionPages(),
    ...adapterPages(),
    ...mappingImportPages(),
    ...connectPages(),
    ...groupPages(),
  ];
  return [
    ...assetPages.map(({ path, send }) => ({ method: 'get' as const, path, handlers: [send] })),
    ...[...pages, ...returnPages(pages), noPage].map((page) => ({
      method: page.method,
      path: page.path,
      handlers: handlersOf(deps, page),
    })),
  ];
}
