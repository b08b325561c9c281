import type { Express, RequestHandler } from 'express';
import { consoleRoutes } from './console/console';
import { documents } from './documents/documents';
import { sharedSignals } from './documents/shared-signals';
import type { Dependencies } from './http/dependencies';
import { answerProblem, emptyApp, expressPath, otherMethods } from './http/empty-app';
import { HttpProblem } from './http/problem';
import { serve } from './http/serve';
import { routes } from './routes';

/** Answers every request with `database_away`, until the process has reached its database. */
export function createStartingApp(): Express {
  const app = emptyApp();
  app.use(() => {
    throw new HttpProblem('database_away');
  });
  app.use(answerProblem);
  return app;
}

/** The HTTP API: the routes of the table, the public documents, and `not_found` for everything else. */
export function createApp(deps: Dependencies): Express {
  const app = emptyApp();
  for (const route of routes) app[route.method](expressPath(route.path), serve(deps, route));
  for (const path of new Set(routes.map((route) => route.path)))
    app.all(expressPath(path), othersOf(path));
  for (const { path, send } of [...documents, ...sharedSignals(deps)])
    app.route(path).get(send).all(othersOf(path));
  for (const { method, path, handlers } of consoleRoutes(deps)) app[method](path, ...handlers);
  app.use(() => {
    throw new HttpProblem('not_found');
  });
  app.use(answerProblem);
  return app;
}

/** Answers the methods that a path of the table does not have. */
function othersOf(path: string): RequestHandler {
  const inTable = routes.filter((route) => route.path === path).map(({ method }) => method);
  return otherMethods(path, inTable.length > 0 ? inTable : ['get']);
}
