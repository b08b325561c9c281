import path from 'node:path';
import type { RequestHandler } from 'express';
import helmet from 'helmet';
import { errorCodes, errors, type Retry } from '../../model/errors';
import { isId } from '../../store/ids';
import { HttpProblem } from '../http/problem';
import { routes } from '../routes';
import { openApiDocument } from './openapi';

/** What anyone may read without a key. It holds nothing of this installation. */
interface Document {
  readonly path: string;
  readonly send: RequestHandler[];
}

const secured = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'", 'data:'],
      connectSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
  // For the host as a whole, which is not ours alone.
  strictTransportSecurity: false,
});

const html = (page: (named: string) => string): RequestHandler[] => [
  secured,
  (request, response) => {
    response.type('html').send(page(String(request.params.named ?? '')));
  },
];

const swaggerUi = path.dirname(require.resolve('swagger-ui-dist/package.json'));

/** From the package, which would ask a server of its makers for a badge and load inline scripts if it were used whole. */
const swaggerFile = (name: string): Document => ({
  path: `/docs/${name}`,
  send: [
    secured,
    (_request, response) => {
      response.setHeader('cache-control', 'no-cache');
      response.sendFile(name, { root: swaggerUi, cacheControl: false });
    },
  ],
});

const document = JSON.stringify(openApiDocument(routes));

export const documents: readonly Document[] = [
  {
    path: '/',
    send: [(_request, response) => response.redirect(302, 'docs/')],
  },
  {
    path: '/docs',
    send: [(_request, response) => response.redirect(302, 'docs/')],
  },
  {
    path: '/openapi.json',
    send: [(_request, response) => void response.type('json').send(document)],
  },
  { path: '/docs/', send: html(docsPage) },
  {
    path: '/docs/initializer.js',
    send: [secured, (_request, response) => void response.type('js').send(INITIALIZER)],
  },
  swaggerFile('swagger-ui.css'),
  swaggerFile('swagger-ui-bundle.js'),
  swaggerFile('favicon-32x32.png'),
  { path: '/errors/:named', send: html(errorPage) },
  { path: '/changes/:named', send: html(changePage) },
];

function docsPage(): string {
  return page(
    'Lockstep API',
    `<div id="swagger-ui"></div>
    <script src="swagger-ui-bundle.js"></script>
    <script src="initializer.js"></script>`,
    `<link rel="stylesheet" href="swagger-ui.css">
    <link rel="icon" type="image/png" href="favicon-32x32.png">`,
  );
}

const INITIALIZER = `SwaggerUIBundle({
  url: '../openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  // It would ask a server of its makers.
  validatorUrl: null,
});
`;

const retrySays: Readonly<Record<Retry, string>> = {
  offline: 'It is tried again, with growing waits, until the change is too old.',
  rejected: 'It is not tried again with the same password.',
  unknown: 'It is tried five times, then given up.',
  never: 'The request is refused; nothing was started.',
};

function errorPage(code: string): string {
  const known = errorCodes.find((one) => one === code);
  if (known === undefined) throw new HttpProblem('not_found');
  const { status, says, retry } = errors[known];
  return page(
    known,
    `<h1>${known}</h1>
    <p>${escaped(says)}</p>
    <p>${retrySays[retry]}</p>
    <p>HTTP status ${status}.</p>`,
  );
}

/** Where the Temporal Web UI leads. What became of the change takes a key to read, which no link holds. */
function changePage(id: string): string {
  if (!isId('chg', id)) throw new HttpProblem('not_found');
  return page(
    id,
    `<h1>${id}</h1>
    <p>What became of each account, and what will:</p>
    <pre>lockstep status ${id} --watch</pre>
    <p>The same over HTTP, with an API key that may read:</p>
    <pre>GET /v1/changes/${id}</pre>
    <p><a href="../docs/">All that the API answers</a></p>`,
  );
}

function page(title: string, body: string, head = ''): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>${title}</title>
    ${head}
  </head>
  <body>
    ${body}
  </body>
</html>
`;
}

const escaped = (sentence: string): string =>
  sentence.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
