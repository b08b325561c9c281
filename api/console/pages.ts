import type { Request, RequestHandler, Response } from 'express';
import helmet from 'helmet';
import { log } from '../../log';
import { discardBody } from '../http/body';
import type { Dependencies } from '../http/dependencies';
import { ownFilesOnly } from '../http/page-policy';
import { asHttpProblem, type HttpProblem, headersOf } from '../http/problem';
import { requireSameOrigin } from './browser-request';

/** A page of the console, or a form that it sends. */
export interface ConsolePage {
  readonly method: 'get' | 'post';
  readonly path: string;
  /** The page to which a form belongs, if that is not the page above its address. */
  readonly home?: string;
  readonly handle: (visit: Visit) => Promise<PageAnswer>;
  /** The page for a request that failed. */
  readonly failed: (visit: Visit, problem: HttpProblem) => PageAnswer;
}

export interface Visit {
  readonly deps: Dependencies;
  readonly request: Request;
  readonly response: Response;
  /** Fires when the browser has disconnected. */
  readonly gone: AbortSignal;
}

/** HTML, a redirection, JSON for our own scripts, or a stream that the handler has written itself. */
export interface PageAnswer {
  readonly status: number;
  readonly html?: string;
  readonly location?: string;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly streamed?: true;
}

export const redirect = (
  location: string,
  headers: Readonly<Record<string, string | string[]>> = {},
): PageAnswer => ({ status: 303, location, headers });

/**
 * Headers of every page. `same-origin` instead of `no-referrer`, with which browsers send "Origin: null" for our own
 * forms. No code may come from text: `require-trusted-types-for` makes the browser refuse that.
 */
const secured = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      ...ownFilesOnly,
      formAction: ["'self'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
      'require-trusted-types-for': ["'script'"],
      'trusted-types': ["'none'"],
    },
  },
  referrerPolicy: { policy: 'same-origin' },
  strictTransportSecurity: false,
});

/** The handlers of a page. A form is refused before its body is read if another site has sent it. */
export const handlersOf = (deps: Dependencies, page: ConsolePage): RequestHandler[] => [
  secured,
  async (request, response) => {
    response.locals.route = page.path;
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const visit: Visit = { deps, request, response, gone: gone.signal };
    try {
      if (page.method === 'post') requireSameOrigin(request, deps.settings);
      send(response, await page.handle(visit));
    } catch (error) {
      const problem = asHttpProblem(error);
      const { requestId } = response.locals;
      if (problem.code === 'internal') log.error('a page failed', { requestId, error });
      discardBody(request);
      if (response.headersSent) response.destroy();
      else send(response, { headers: retryHeaders(problem), ...page.failed(visit, problem) });
    }
  },
];

/** Only these: a page has its own content type, and a browser must not ask for a user name and password by itself. */
const retryHeaders = (problem: HttpProblem): Record<string, string> => {
  const after = headersOf(problem)['retry-after'];
  return after === undefined ? {} : { 'retry-after': after };
};

function send(response: Response, answer: PageAnswer): void {
  const { status, html, location, json, headers, streamed } = answer;
  if (streamed === true) return;
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value);
  if (location !== undefined) response.writeHead(status, { location }).end();
  else if (json !== undefined) response.status(status).type('json').send(JSON.stringify(json));
  else
    response
      .status(status)
      .type('html')
      .send(html ?? '');
}
