import { randomUUID } from 'node:crypto';
import express, {
  type ErrorRequestHandler,
  type Express,
  type RequestHandler,
  type Response,
} from 'express';
import { log } from '../log';
import { traced } from '../telemetry/spans';
import { consoleRoutes } from './console/console';
import { documents } from './documents/documents';
import { sharedSignals } from './documents/shared-signals';
import { discardBody } from './http/body';
import { countRequest } from './http/count-requests';
import type { Dependencies } from './http/dependencies';
import { asHttpProblem, HttpProblem, headersOf, problemOf } from './http/problem';
import { sendJson, serve } from './http/serve';
import { routes } from './routes';
import { scimErrorOf, scimHeadersOf, scimStatus, speaksScim } from './scim/errors';

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
    app.all(expressPath(path), otherMethods(path));
  for (const { path, send } of [...documents, ...sharedSignals(deps)])
    app.route(path).get(send).all(otherMethods(path));
  for (const { method, path, handlers } of consoleRoutes(deps)) app[method](path, ...handlers);
  app.use(() => {
    throw new HttpProblem('not_found');
  });
  app.use(answerProblem);
  return app;
}

function emptyApp(): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  app.enable('strict routing');
  app.use(begin);
  return app;
}

const expressPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1');

/** Sets the headers of every answer and logs one line per request. The line has no URL, because URLs contain names. */
const begin: RequestHandler = (request, response, next) => {
  const requestId = randomUUID();
  const began = performance.now();
  response.locals.requestId = requestId;
  response.setHeader('x-request-id', requestId);
  response.setHeader('cache-control', 'no-store');
  response.setHeader('x-content-type-options', 'nosniff');
  response.once('close', () => {
    const { route } = response.locals;
    const durationMs = performance.now() - began;
    const streamed = response.getHeader('content-type') === 'text/event-stream';
    const { statusCode: status } = response;
    countRequest({ method: request.method, route, status, seconds: durationMs / 1000, streamed });
    log.info('request', {
      requestId,
      method: request.method,
      route: route ?? 'none',
      status,
      durationMs: Math.round(durationMs),
      ...(response.writableFinished ? {} : { outcome: 'client disconnected' }),
    });
  });
  // A proxy may have routed by another line than the one that would be used here (RFC 9112 §3.2).
  const hosts = request.headersDistinct.host?.length ?? 0;
  if (hosts > 1 || (hosts === 0 && request.httpVersion !== '1.0'))
    throw new HttpProblem('request_malformed');
  void traced('request', { kind: 'server' }, async (span) => {
    const closed = new Promise((resolve) => response.once('close', resolve));
    next();
    await closed;
    const { route = 'none' } = response.locals;
    const { statusCode: status } = response;
    span.rename(`${request.method} ${route}`);
    span.note({
      'http.request.method': request.method,
      'http.route': route,
      'http.response.status_code': status,
    });
    if (status >= 500) span.fail(String(status));
  });
};

/** Answers OPTIONS, and rejects methods that the path does not have. */
function otherMethods(path: string): RequestHandler {
  const inTable = routes.filter((route) => route.path === path).map(({ method }) => method);
  const methods = inTable.length > 0 ? inTable : ['get'];
  const allowed = ['OPTIONS', ...(methods.includes('get') ? ['HEAD'] : []), ...methods];
  const allow = allowed.join(', ').toUpperCase();
  return (request, response) => {
    response.locals.route = path;
    if (request.method !== 'OPTIONS') throw new HttpProblem('method_not_allowed', {}, { allow });
    response.writeHead(204, { allow }).end();
  };
}

/** Answers every failed request with a problem, in the format that the client expects. */
const answerProblem: ErrorRequestHandler = (error, request, response: Response, _next) => {
  const httpProblem = asHttpProblem(error);
  const { requestId } = response.locals;
  if (httpProblem.code === 'internal') log.error('a request failed', { requestId, error });
  discardBody(request);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (speaksScim(request.path)) {
    const status = scimStatus(httpProblem.code);
    sendJson(response, status, scimErrorOf(httpProblem), scimHeadersOf(httpProblem));
    return;
  }
  const problem = problemOf(httpProblem, requestId);
  sendJson(response, problem.status, problem, headersOf(httpProblem));
};
