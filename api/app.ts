import { randomUUID } from 'node:crypto';
import express, {
  type ErrorRequestHandler,
  type Express,
  type RequestHandler,
  type Response,
} from 'express';
import { log } from '../log';
import { documents } from './documents/documents';
import { discardBody } from './http/body';
import type { Dependencies } from './http/dependencies';
import { asHttpProblem, HttpProblem, headersOf, problemOf } from './http/problem';
import { sendJson, serve } from './http/serve';
import { routes } from './routes';
import { scimErrorOf, scimHeadersOf, scimStatus, speaksScim } from './scim/errors';

/** The HTTP API. What is not in the table of routes, or a document, is not there. */
export function createApp(deps: Dependencies): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  app.enable('strict routing');
  app.use(begin);
  for (const route of routes) app[route.method](expressPath(route.path), serve(deps, route));
  for (const path of new Set(routes.map((route) => route.path)))
    app.all(expressPath(path), otherMethods(path));
  for (const { path, send } of documents) app.route(path).get(send).all(otherMethods(path));
  app.use(() => {
    throw new HttpProblem('not_found');
  });
  app.use(answerProblem);
  return app;
}

const expressPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1');

/** What is true of every answer, and the one line that the log gets of it: never a URL, which holds names. */
const begin: RequestHandler = (request, response, next) => {
  const requestId = randomUUID();
  const began = performance.now();
  response.locals.requestId = requestId;
  response.setHeader('x-request-id', requestId);
  response.setHeader('cache-control', 'no-store');
  response.setHeader('x-content-type-options', 'nosniff');
  response.once('close', () =>
    log.info('request', {
      requestId,
      method: request.method,
      route: response.locals.route ?? 'none',
      status: response.statusCode,
      durationMs: Math.round(performance.now() - began),
      ...(response.writableFinished ? {} : { outcome: 'client gone' }),
    }),
  );
  next();
};

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

/** Where every failure of a request ends. */
const answerProblem: ErrorRequestHandler = (error, request, response: Response, _next) => {
  const refusal = asHttpProblem(error);
  const { requestId } = response.locals;
  if (refusal.code === 'internal') log.error('a request failed', { requestId, error });
  discardBody(request);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (speaksScim(request.path)) {
    const status = scimStatus(refusal.code);
    sendJson(response, status, scimErrorOf(refusal), scimHeadersOf(refusal));
    return;
  }
  const problem = problemOf(refusal, requestId);
  sendJson(response, problem.status, problem, headersOf(refusal));
};
