import path from 'node:path';
import type { RequestHandler } from 'express';
import helmet from 'helmet';
import { errorCodes, errors, type Retry } from '../../model/errors';
import { isId } from '../../store/ids';
import { ownFilesOnly } from '../http/page-policy';
import { HttpProblem } from '../http/problem';
import { routes } from '../routes';
import { CHANGE_PAGE_SCRIPT, changePageBody } from './change-page';
import { openApiDocument } from './openapi';

/** A page or file that is served without an API key. It contains nothing about this installation. */
interface Document {
  readonly path: string;
  readonly send: RequestHandler[];
}

const secured = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      ...ownFilesOnly,
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
  // This header would apply to the whole host, which may serve other applications too.
  strictTransportSecurity: false,
});

const html = (page: (named: string) => string): RequestHandler[] => [
  secured,
  (request, response) => {
    response.type('html').send(page(String(request.params.named ?? '')));
  },
];

const swaggerUi = path.dirname(require.resolve('swagger-ui-dist/package.json'));

/**
 * A file of the Swagger UI package. The package's own page is not used, because it has inline scripts and loads a badge
 * from a server of its makers.
 */
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
  {
    path: '/docs/change.js',
    send: [secured, (_request, response) => void response.type('js').send(CHANGE_PAGE_SCRIPT)],
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
  // The default validator is a server of the makers of Swagger UI.
  validatorUrl: null,
});
`;

const retrySays: Readonly<Record<Retry, string>> = {
  offline: 'Lockstep retries with increasing delays until the change is too old.',
  rejected: 'Lockstep does not retry with the same password.',
  unknown: 'Lockstep tries five times. Then the account is parked until an operator retries it.',
  never: 'The request was rejected; nothing was started.',
};

function errorPage(code: string): string {
  const errorCode = errorCodes.find((candidate) => candidate === code);
  if (errorCode === undefined) throw new HttpProblem('not_found');
  const { status, says, retry } = errors[errorCode];
  return page(
    errorCode,
    `<h1>${errorCode}</h1>
    <p>${escaped(says)}</p>
    <p>${retrySays[retry]}</p>
    <p>HTTP status ${status}.</p>`,
  );
}

/** The page that the Temporal Web UI links to. */
function changePage(id: string): string {
  if (!isId('chg', id)) throw new HttpProblem('not_found');
  return page(id, changePageBody(id));
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
