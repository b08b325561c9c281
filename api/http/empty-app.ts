import { randomUUID } from 'node:crypto';
import express, {
  type ErrorRequestHandler,
  type Express,
  type RequestHandler,
  type Response,
} from 'express';
import { log } from '../../log';
import { traced } from '../../telemetry/spans';
import { scimErrorOf, scimHeadersOf, scimStatus, speaksScim } from '../scim/errors';
import { discardBody } from './body';
import { countRequest } from './count-requests';
import { asHttpProblem, HttpProblem, headersOf, problemOf } from './problem';
import { sendJson } from './serve';

/** An app without routes. Every answer has the common headers, and every request a line in the log and a span. */
export function emptyApp(): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  app.enable('strict routing');
  app.use(begin);
  return app;
}

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

/** A path in the form of Express: `{id}` becomes `:id`. */
export const expressPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1');

/** Answers OPTIONS, and rejects methods that the path does not have. */
export function otherMethods(path: string, methods: readonly string[]): RequestHandler {
  const allowed = ['OPTIONS', ...(methods.includes('get') ? ['HEAD'] : []), ...methods];
  const allow = allowed.join(', ').toUpperCase();
  return (request, response) => {
    response.locals.route = path;
    if (request.method !== 'OPTIONS') throw new HttpProblem('method_not_allowed', {}, { allow });
    response.writeHead(204, { allow }).end();
  };
}

/** Answers every failed request with a problem, in the format that the client expects. */
export const answerProblem: ErrorRequestHandler = (error, request, response: Response, _next) => {
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
