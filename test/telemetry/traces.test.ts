import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { register } from 'prom-client';
import { z } from 'zod';
import { exportSpans } from '../../telemetry/export-spans';
import { startTestApi, type TestApi } from '../support/api';
import { newPassword } from '../support/people';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { workerSuite } from '../support/worker-suite';

/** A request as the protocol has it: opentelemetry-proto 1.x, `ExportTraceServiceRequest`, in JSON. */
const attribute = z.strictObject({
  key: z.string().min(1),
  value: z.union([
    z.strictObject({ stringValue: z.string() }),
    z.strictObject({ intValue: z.string().regex(/^-?\d+$/) }),
  ]),
});
const nanoseconds = z.string().regex(/^\d{19}$/);
const span = z.strictObject({
  traceId: z.string().regex(/^(?!0+$)[0-9a-f]{32}$/),
  spanId: z.string().regex(/^(?!0+$)[0-9a-f]{16}$/),
  parentSpanId: z
    .string()
    .regex(/^(?!0+$)[0-9a-f]{16}$/)
    .optional(),
  name: z.string().min(1),
  kind: z.number().int().min(1).max(5),
  startTimeUnixNano: nanoseconds,
  endTimeUnixNano: nanoseconds,
  attributes: z.array(attribute),
  status: z.strictObject({ code: z.literal(2).optional(), message: z.string().optional() }),
});
const exportRequest = z.strictObject({
  resourceSpans: z.array(
    z.strictObject({
      resource: z.strictObject({ attributes: z.array(attribute) }),
      scopeSpans: z.array(
        z.strictObject({ scope: z.strictObject({ name: z.string() }), spans: z.array(span) }),
      ),
    }),
  ),
});

type ReceivedSpan = z.infer<typeof span> & { readonly service: string | undefined };
type Answer = (response: http.ServerResponse) => void;

/** A collector on a real port, which validates what it gets. */
async function startCollector(answer: Answer = (response) => void response.end('{}')) {
  const bodies: string[] = [];
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      expect([request.method, request.url, request.headers['content-type']]).toEqual([
        'POST',
        '/v1/traces',
        'application/json',
      ]);
      bodies.push(body);
      answer(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`,
    bodies,
    spans: (): ReceivedSpan[] =>
      bodies
        .flatMap((body) => exportRequest.parse(JSON.parse(body)).resourceSpans)
        .flatMap(({ resource, scopeSpans }) =>
          scopeSpans.flatMap(({ spans }) =>
            spans.map((one) => ({ ...one, service: valueIn(resource.attributes, 'service.name') })),
          ),
        ),
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function valueIn(
  attributes: readonly z.infer<typeof attribute>[],
  wanted: string,
): string | undefined {
  const found = attributes.find(({ key }) => key === wanted)?.value;
  if (found === undefined) return undefined;
  return 'stringValue' in found ? found.stringValue : found.intValue;
}

describeWith(['slapd', 'postgres', 'temporal'], 'the traces of changes', () => {
  const suite = workerSuite();
  const apis: TestApi[] = [];
  afterAll(async () => {
    for (const api of apis) await api.stopProcess();
    register.clear();
  });

  async function startApi(env: Record<string, string>): Promise<TestApi> {
    const { database, keyDir } = suite.lockstep;
    const api = await startTestApi({ database, keyDir, env });
    apis.push(api);
    return api;
  }
  async function request(api: TestApi, person: string, password: string): Promise<string> {
    const key = await api.newKey(['trigger']);
    const { body } = await api.send('POST', '/v1/changes', {
      key,
      body: { identity: person, password },
    });
    await suite.lockstep.readEnd(String(body.id));
    return String(body.id);
  }

  test('one trace leads from the request through every step to each call of a source, and holds nothing secret or personal', async () => {
    const collector = await startCollector();
    const api = await startApi({ LOCKSTEP_TRACES_URL: collector.url });
    const worker = exportSpans(collector.url, 'lockstep-worker');
    const { person, accounts } = await suite.addPerson('directory', 'apps', 'crm');
    await suite.rejectPasswords(accounts[1]);
    const password = newPassword();
    const id = await request(api, person, password);
    const ofChange = () =>
      collector.spans().filter(({ attributes }) => valueIn(attributes, 'lockstep.change') === id);
    await until(() => ofChange().some(({ name }) => name === 'closeChange'));
    await until(() => ofChange().some(({ name }) => name === 'POST /v1/changes'));
    await worker.stop();
    const spans = ofChange();
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
    const byId = new Map(spans.map((one) => [one.spanId, one]));
    expect(byId.size).toBe(spans.length);
    /** The names from the first span to this one. */
    const pathOf = (one: ReceivedSpan): string => {
      if (one.parentSpanId === undefined) return one.name;
      const parent = byId.get(one.parentSpanId);
      if (parent === undefined) throw new Error(`the parent of ${one.name} is missing`);
      return `${pathOf(parent)} > ${one.name}`;
    };
    // On a slow machine an attempt also asks the source for the time of the last change.
    const paths = spans.map(pathOf).filter((path) => !path.endsWith(' state'));
    expect(new Set(paths)).toEqual(
      new Set([
        'POST /v1/changes',
        'POST /v1/changes > accept',
        'POST /v1/changes > dispatch',
        'POST /v1/changes > changeAuthAccount',
        'POST /v1/changes > changeAuthAccount > attempt',
        'POST /v1/changes > changeAuthAccount > attempt > ldap setPassword',
        'POST /v1/changes > changeAuthAccount > attempt > ldap verify',
        'POST /v1/changes > passOverSources',
        'POST /v1/changes > passOverSources > attempt',
        'POST /v1/changes > passOverSources > attempt > ldap setPassword',
        'POST /v1/changes > passOverSources > attempt > sql-column setPassword',
        'POST /v1/changes > passOverSources > attempt > sql-column verify',
        'POST /v1/changes > closeChange',
      ]),
    );
    const services = new Map(spans.map(({ name, service }) => [name, service]));
    expect([services.get('accept'), services.get('attempt')]).toEqual([
      'lockstep-api',
      'lockstep-worker',
    ]);
    const failed = spans.filter(({ status }) => status.code === 2);
    expect(failed.map(({ name, status }) => [name, status.message])).toEqual([
      ['attempt', 'policy_too_short'],
    ]);
    for (const { startTimeUnixNano: start, endTimeUnixNano: end } of spans)
      expect(BigInt(end)).toBeGreaterThanOrEqual(BigInt(start));
    const sent = collector.bodies.join('\n');
    for (const text of [password, person, ...accounts.map(({ name }) => name)])
      expect(sent).not.toContain(text);
    collector.stop();
  });

  test('nothing is sent when no collector is configured', async () => {
    const collector = await startCollector();
    const api = await startApi({});
    const worker = exportSpans(undefined, 'lockstep-worker');
    const { person } = await suite.addPerson('directory');
    await request(api, person, newPassword());
    await worker.stop();
    expect(collector.bodies).toEqual([]);
    collector.stop();
  });

  const endless: Answer = (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const more = () => {
      while (response.writable && response.write('x'.repeat(65_536)));
    };
    response.on('drain', more);
    more();
  };
  test.each<[string, Answer | null]>([
    ['away', null],
    ['silent', () => {}],
    ['one that refuses everything', (response) => void response.writeHead(400).end('no')],
    [
      'one that sends elsewhere',
      (response) => void response.writeHead(307, { location: '/' }).end(),
    ],
    ['one whose answer never ends', endless],
  ])(
    'a change takes its course, and the worker stops, with a collector that is %s',
    async (_title, answer) => {
      const collector = await startCollector(answer ?? undefined);
      if (answer === null) collector.stop();
      const worker = exportSpans(collector.url, 'lockstep-worker');
      const { person } = await suite.addPerson('directory', 'apps');
      const id = await suite.lockstep.accept({ person, password: newPassword() });
      expect((await suite.lockstep.readEnd(id)).state).toBe('done');
      await worker.stop();
      collector.stop();
    },
  );

  test('spans that a busy collector has not taken are sent again, each once', async () => {
    let busy = true;
    const collector = await startCollector((response) => {
      response.writeHead(busy ? 503 : 200).end('{}');
      busy = false;
    });
    const worker = exportSpans(collector.url, 'lockstep-worker');
    const { person } = await suite.addPerson('directory');
    const id = await suite.lockstep.accept({ person, password: newPassword() });
    await suite.lockstep.readEnd(id);
    await until(() => collector.bodies.length >= 2);
    await worker.stop();
    const [refused = '', ...taken] = collector.bodies;
    const ids = (body: string) => [...body.matchAll(/"spanId":"(\w+)"/g)].map(([, one]) => one);
    const stored = taken.flatMap(ids);
    expect(ids(refused).filter((one) => !stored.includes(one))).toEqual([]);
    expect(new Set(stored).size).toBe(stored.length);
    collector.stop();
  });
});
