import fc from 'fast-check';
import { openApiDocument } from '../../api/documents/openapi';
import type { Route } from '../../api/http/route';
import { routes } from '../../api/routes';
import { SCIM_TYPE, speaksScim } from '../../api/scim/errors';
import { accountRulesOf } from '../../connectors/registry';
import { configurationSchema } from '../../model/configuration/document';
import { applyConfiguration } from '../../store/configuration/versions';
import { startTestApi, type TestApi } from '../support/api';
import { runsInFull } from '../support/long';
import { addPerson, ended, testConfiguration } from '../support/played-worker';
import { describeWith } from '../support/servers';

/** Number of requests to each route. */
const REQUESTS = runsInFull ? 150 : 20;

describeWith(['postgres'], 'every route', () => {
  const document = openApiDocument(routes);
  let api: TestApi;
  let over: string;

  beforeAll(async () => {
    api = await startTestApi();
    await applyConfiguration(api.database.db, configuration, 0, 'test', accountRulesOf);
    await addPerson(api.database.db, 'alice');
    const body = { identity: 'alice', password: 'correct horse battery staple' };
    over = String((await api.send('POST', '/v1/changes', { body })).body.id);
    await ended(api.database.db, over, { state: 'cancelled', reason: null });
  });
  afterAll(() => api.stop());

  const titled = routes.map(
    (route) => [`${route.method.toUpperCase()} ${route.path}`, route] as const,
  );

  test.each(titled)(
    '%s answers any request with a status that it declares',
    async (_title, route) => {
      const declared = Object.keys(document.paths?.[route.path]?.[route.method]?.responses ?? {});
      const property = fc.asyncProperty(requests(route, over), async ({ path, ...options }) => {
        const reply = await api.send(route.method.toUpperCase(), path, options);
        expect(declared).toContain(String(reply.status));
        expect(reply.status).toBeLessThan(500);
        expect(reply.headers.get('cache-control')).toBe('no-store');
        if (reply.status < 400) return;
        const scim = speaksScim(route.path);
        expect(reply.headers.get('content-type')).toBe(
          scim ? SCIM_TYPE : 'application/problem+json',
        );
        const status = scim ? String(reply.status) : reply.status;
        expect(reply.body).toMatchObject({ status, detail: expect.any(String) });
      });
      await fc.assert(property, { numRuns: REQUESTS });
    },
  );
});

/** A source that an identity provider may push to. */
const warehouse = {
  kind: 'ldap',
  settings: {},
  capture: { enabled: true, scim: { pushesRealPassword: true } },
};
const configuration = configurationSchema.parse({
  ...testConfiguration,
  sources: { ...testConfiguration.sources, warehouse },
});

/** Values that reveal mistakes in quoting, paths or validation. */
const WORDS = [
  ...['alice', 'warehouse', 'directory', 'nothing', 'done', 'auth', 'x'],
  ...['', '0', '1', '-1', '201', '1e9', '__proto__', 'constructor'],
  ...["'; drop table change; --", '*)(uid=*', '\u0000', '../..', '%00', '${env:PATH}'],
];

interface FuzzedRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Requests to a route: most are almost valid, some are arbitrary. */
function requests(route: Route, changeId: string): fc.Arbitrary<FuzzedRequest> {
  const words = fc.oneof(fc.constantFrom(...WORDS), fc.string({ unit: 'grapheme', maxLength: 20 }));
  const segments = fc.oneof(words, fc.constant(changeId)).filter((word) => !/^\.{0,2}$/.test(word));
  const sources = fc.oneof(fc.constant('warehouse'), segments);
  const path = fc.tuple(sources, segments, segments).map((values) => {
    const left = values.values();
    return route.path.replaceAll(/\{\w+\}/g, () => encodeURIComponent(left.next().value ?? 'x'));
  });
  const query = fc
    .dictionary(
      fc.constantFrom(
        'limit',
        'cursor',
        'state',
        'identity',
        'source',
        'name',
        'until',
        'filter',
        'startIndex',
        'count',
        'attributes',
        'x',
        '__proto__',
      ),
      words,
      { maxKeys: 3 },
    )
    .map((entries) => new URLSearchParams(entries).toString());
  const header = fc.stringMatching(/^[!-~]{0,30}$/);
  const headers = fc.record(
    {
      'idempotency-key': header,
      prefer: fc.oneof(header, fc.constantFrom('wait=0', 'until=auth, wait=0', 'wait="0"')),
    },
    { requiredKeys: [] },
  );
  return fc
    .record({ path, query, headers, body: bodies(route) })
    .map(({ path: target, query: search, headers: sent, body }) => ({
      path: search === '' ? target : `${target}?${search}`,
      headers: sent,
      ...(route.method === 'get' || body === undefined ? {} : { body }),
    }));
}

function bodies({ body }: Route): fc.Arbitrary<unknown> {
  const examples = Object.values(body?.examples ?? {}) as Record<string, unknown>[];
  if (examples.length === 0) return fc.constantFrom(undefined, {});
  const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.string({ unit: 'grapheme' }));
  const names = [...new Set(examples.flatMap((example) => Object.keys(example)))];
  const changed = fc
    .tuple(
      fc.constantFrom(...examples),
      fc.dictionary(fc.constantFrom(...names, 'x'), value, { maxKeys: 2 }),
    )
    .map(([example, changes]) => ({ ...example, ...changes }));
  const cut = fc
    .tuple(changed, fc.double({ min: 0, max: 1, noNaN: true }))
    .map(([whole, part]) =>
      Buffer.from(JSON.stringify(whole)).subarray(0, 1 + Math.floor(part * 200)),
    );
  return fc.oneof(
    fc.constantFrom(...examples),
    changed,
    changed,
    cut,
    fc.jsonValue(),
    fc.constant(undefined),
  );
}
