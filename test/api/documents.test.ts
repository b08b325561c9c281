import { type OpenApiDocument, openApiDocument } from '../../api/documents/openapi';
import { check, secretsIn } from '../../api/http/input';
import type { Route } from '../../api/http/route';
import { scanJson } from '../../api/http/scan';
import { routes } from '../../api/routes';
import { scimStatus, speaksScim } from '../../api/scim/errors';
import { scopesWith } from '../../model/api/scopes';
import { errorCodes, errors } from '../../model/errors';
import { startTestApi, type TestApi } from '../support/api';
import { addPerson, applyTestConfiguration, ended } from '../support/played-worker';
import { describeWith } from '../support/servers';
import { until } from '../support/until';

const operationOf = (document: OpenApiDocument, { method, path }: Route) =>
  document.paths?.[path]?.[method];

describe('the OpenAPI document', () => {
  const document = openApiDocument(routes);
  const text = JSON.stringify(document);

  test('the document has exactly the routes of the table, each with a unique operation id', () => {
    const operations = routes.map((route) => operationOf(document, route)?.operationId);
    expect(operations).not.toContain(undefined);
    expect(new Set(operations).size).toBe(routes.length);
    const all = Object.values(document.paths ?? {}).flatMap((item) => Object.keys(item));
    expect(all).toHaveLength(routes.length);
  });

  test('the document is complete: references resolve and path parameters are declared', () => {
    expect(document.openapi).toBe('3.1.0');
    const schemas = Object.keys(document.components?.schemas ?? {});
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g))
      expect(schemas).toContain(name);
    for (const route of routes) {
      const declared = operationOf(document, route)?.parameters ?? [];
      const names = declared.flatMap((parameter) =>
        'in' in parameter && parameter.in === 'path' ? [parameter.name] : [],
      );
      expect(names).toEqual([...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
    }
  });

  test('the document requires an API key and names the scope on every route', () => {
    for (const route of routes) {
      const operation = operationOf(document, route);
      expect(operation?.security).toEqual([{ apiKey: [] }]);
      for (const scope of scopesWith(route.right))
        expect(operation?.description).toContain(`\`${scope}\``);
    }
  });

  test('the document marks every password as write-only', () => {
    const schemas = document.components?.schemas ?? {};
    const shown = (schema: unknown) =>
      JSON.stringify(schema).match(/"format":"password","writeOnly":true/g)?.length;
    expect([schemas.NewChange, schemas.NewCapture].map(shown)).toEqual([2, 3]);
    for (const schema of [schemas.WantedPlan, schemas.NewSignIn, schemas.NewCredential])
      expect(JSON.stringify(schema)).toContain('"format":"password","writeOnly":true');
    expect(text.match(/"format":"password"/g)).toHaveLength(12);
  });

  test('the document lists every problem of a route with its sentence', () => {
    for (const route of routes)
      for (const code of route.problems) {
        const status = speaksScim(route.path) ? scimStatus(code) : errors[code].status;
        const answer = operationOf(document, route)?.responses?.[status];
        expect(answer.description).toContain(errors[code].says);
      }
  });

  test('the examples in the document are valid requests', () => {
    for (const { body } of routes)
      for (const example of Object.values(body?.examples ?? {})) {
        if (body === null) continue;
        const limits = { secrets: secretsIn(body.schema), maxDepth: body.maxDepth };
        check(body.schema, scanJson(Buffer.from(JSON.stringify(example)), limits).value);
      }
  });
});

describeWith(['postgres'], 'the API over HTTP', () => {
  let api: TestApi;
  let over: string;

  beforeAll(async () => {
    api = await startTestApi();
    await applyTestConfiguration(api.database.db);
    await addPerson(api.database.db, 'alice');
    const body = { identity: 'alice', password: 'correct horse battery staple' };
    over = String((await api.send('POST', '/v1/changes', { body })).body.id);
    await ended(api.database.db, over, { state: 'cancelled', reason: null });
  });
  afterAll(() => api.stop());

  const get = (path: string) => api.send('GET', path, { key: null });

  test('an unknown path is answered with a problem', async () => {
    for (const path of [
      '/nothing',
      '/v1',
      '/v1/',
      '/v1/nothing',
      '/V1/changes',
      '/v1/changes/',
      '/errors/nothing',
      '/changes/nothing',
      '/changes/%3Cscript%3E',
      '/docs/nothing',
      '/docs/..%2fpackage.json',
      '/%ff',
      '/v1/changes/%ff',
    ])
      expect((await api.send('GET', path)).body).toMatchObject({ status: 404, code: 'not_found' });
  });

  test('an unsupported method is rejected with the list of supported ones', async () => {
    for (const method of ['PATCH', 'PUT', 'DELETE']) {
      const reply = await api.send(method, '/v1/changes');
      expect(reply.body).toMatchObject({ status: 405, code: 'method_not_allowed' });
      expect(reply.headers.get('allow')).toBe('OPTIONS, HEAD, POST, GET');
    }
    expect((await api.send('POST', '/openapi.json')).status).toBe(405);
    const options = await api.send('OPTIONS', '/v1/changes', { key: null });
    expect(options.status).toBe(204);
    expect(options.headers.get('access-control-allow-origin')).toBeNull();
    const overridden = await api.send('GET', '/v1/changes', {
      headers: { 'x-http-method-override': 'DELETE' },
    });
    expect(overridden.status).toBe(200);
  });

  test('HEAD answers as GET does, without the body', async () => {
    for (const path of ['/v1/changes', `/v1/changes/${over}`, `/v1/changes/${over}/events`]) {
      const reply = await api.send('HEAD', path);
      expect([reply.status, reply.text]).toEqual([200, '']);
    }
  });

  test('a log line contains the route, never the URL, which contains names', async () => {
    await api.send('GET', '/v1/identities/somebody-private?x=something-private');
    await until(() => api.printed().includes('"route":"/v1/identities/{name}"'));
    expect(api.printed()).not.toMatch(/(?:somebody|something)-private/);
  });

  test('the OpenAPI document needs no API key', async () => {
    expect((await get('/openapi.json')).body).toEqual(
      JSON.parse(JSON.stringify(openApiDocument(routes))),
    );
  });

  test('every problem has a page that needs no API key', async () => {
    for (const code of errorCodes) {
      const { status, text } = await get(`/errors/${code}`);
      expect(status).toBe(200);
      expect(text).toContain(String(errors[code].status));
    }
  });

  test('the page that Temporal links to shows how to read a change, and nothing about the change', async () => {
    const { status, text } = await get(`/changes/${over}`);
    expect(status).toBe(200);
    expect(text).toContain(`lockstep status ${over}`);
    expect(text).not.toContain('alice');
    const unknown = `chg_${'0'.repeat(26)}`;
    expect((await get(`/changes/${unknown}`)).text).toBe(text.replaceAll(over, unknown));
  });

  test('the pages load nothing from other hosts and run no inline scripts', async () => {
    for (const path of ['/docs/', '/errors/no_group', `/changes/${over}`]) {
      const { headers, text } = await get(path);
      expect(headers.get('content-security-policy')).toBe(
        "default-src 'none';script-src 'self';style-src 'self';img-src 'self' data:;connect-src 'self';base-uri 'none';form-action 'none';frame-ancestors 'none'",
      );
      expect(text).not.toMatch(/<script>|<style|style=|on\w+=|https?:/);
      for (const [, file] of text.matchAll(/(?:src|href)="([^"]+)"/g))
        expect((await get(new URL(file ?? '', `http://api${path}`).pathname)).status).toBe(200);
    }
    expect((await get('/docs/initializer.js')).text).toContain('validatorUrl: null');
    expect((await get('/')).headers.get('location')).toBe('docs/');
    expect((await get('/docs')).headers.get('location')).toBe('docs/');
  });
});
