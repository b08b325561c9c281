import { setTimeout as sleep } from 'node:timers/promises';
import type { Express, RequestHandler, Response } from 'express';
import { authorizeWith } from '../api/http/authorize';
import { answerProblem, emptyApp, expressPath, otherMethods } from '../api/http/empty-app';
import { check, readInput } from '../api/http/input';
import { HttpProblem } from '../api/http/problem';
import { sendJson } from '../api/http/serve';
import { Secret } from '../model/passwords/secret';
import type { LookupDependencies } from './dependencies';
import { hostSignIn } from './host-sign-in';
import { issueTicket } from './issue-ticket';
import { ownCredential } from './own-credential';
import { redeemTicket } from './redeem-ticket';
import type { LookupRoute } from './route';

export const lookupRoutes: readonly LookupRoute[] = [
  ownCredential,
  issueTicket,
  redeemTicket,
  hostSignIn,
];

/** The lookup service: it returns stored credentials to the people, and for the applications, that they are for. */
export function createLookupApp(deps: LookupDependencies): Express {
  const app = emptyApp();
  for (const route of lookupRoutes) {
    app[route.method](expressPath(route.path), serve(deps, route));
    app.all(expressPath(route.path), otherMethods(route.path, [route.method]));
  }
  app.use(() => {
    throw new HttpProblem('not_found');
  });
  app.use(answerProblem);
  return app;
}

/**
 * A refusal is answered after this time, whatever its reason, so that the time shows nothing. It also slows down
 * guesses.
 */
export const REFUSED_AFTER_MS = 100;

function serve(deps: LookupDependencies, route: LookupRoute): RequestHandler {
  const authorize = authorizeWith(deps.db, deps.reads.caller);
  return async (request, response) => {
    const began = performance.now();
    response.locals.route = route.path;
    const caller = await authorize(request.headersDistinct.authorization ?? [], 'look-up');
    const params = check(route.params, request.params, 'path');
    const query = check(route.query, request.query, 'query');
    let secrets: readonly Secret[] = [];
    try {
      let body: unknown;
      if (route.body !== null) ({ value: body, secrets } = await readInput(request, route.body));
      send(response, await route.handle(deps, { caller, params, query, body }));
    } catch (error) {
      if (error instanceof HttpProblem && error.code === 'lookup_refused')
        await sleep(REFUSED_AFTER_MS - (performance.now() - began));
      throw error;
    } finally {
      for (const secret of secrets) secret.destroy();
    }
  };
}

function send(response: Response, answer: Secret | Readonly<Record<string, unknown>>): void {
  const headers = { 'content-type': 'application/json' };
  if (!(answer instanceof Secret)) {
    sendJson(response, 200, answer, headers);
    return;
  }
  // The client is gone, and its connection closes no more.
  if (response.destroyed) {
    answer.destroy();
    return;
  }
  response.once('close', () => answer.destroy());
  answer.use((bytes) =>
    response.writeHead(200, { ...headers, 'content-length': bytes.length }).end(bytes),
  );
}
