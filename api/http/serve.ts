import type { Request, RequestHandler, Response } from 'express';
import type { Secret } from '../../model/passwords/secret';
import type { Dependencies } from './dependencies';
import { check, readInput } from './input';
import type { Answer, Route } from './route';

/** The handler of one route: it authorises the caller, validates the request and sends the answer. */
export function serve(deps: Dependencies, route: Route): RequestHandler {
  return async (request, response) => {
    response.locals.route = route.path;
    const gone = goneSignal(response);
    const caller = await deps.authorize(request.headersDistinct.authorization ?? [], route.right);
    const params = check(route.params, request.params, 'path');
    const query = check(route.query, request.query, 'query');
    const headers = check(route.headers, request.headers, 'header');
    let secrets: readonly Secret[] = [];
    try {
      let body: unknown;
      if (route.body !== null) ({ value: body, secrets } = await readInput(request, route.body));
      await send(
        request,
        response,
        await route.handle(deps, { caller, params, query, headers, body, gone }),
      );
    } finally {
      for (const secret of secrets) secret.destroy();
    }
  };
}

/** Fires when the connection closes. */
function goneSignal(response: Response): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return gone.signal;
}

async function send(request: Request, response: Response, answer: Answer): Promise<void> {
  const { status, body, headers, stream } = answer;
  if (stream !== undefined) {
    response.writeHead(status, headers);
    if (request.method !== 'HEAD') await stream(response);
    response.end();
  } else if (body === undefined) {
    response.writeHead(status, headers).end();
  } else {
    sendJson(response, status, body, { 'content-type': 'application/json', ...headers });
  }
}

export function sendJson(
  response: Response,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>>,
): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { ...headers, 'content-length': bytes.length }).end(bytes);
}
