import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { register } from 'prom-client';
import { type OpsServer, startOps } from '../../ops';
import { endRemovedSeries } from '../../store/configuration/removed-sources';
import { pauseSource } from '../../store/sources/state';
import { registerWorkerMetrics } from '../../worker/metrics';
import type { TestApi } from '../support/api';
import { newPassword } from '../support/people';
import { describeWith, server } from '../support/servers';
import { companyDocument, workerSuite } from '../support/worker-suite';

const root = path.resolve(__dirname, '../..');
const file = (name: string): string => path.join(root, 'docs/monitoring', name);

/** Runs promtool. @returns what it printed; it has failed if `code` is not 0 */
const promtool = (args: readonly string[], input = ''): Promise<{ code: number; text: string }> =>
  new Promise((resolve) => {
    const child = execFile(server('promtool').program ?? '', args, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : 1, text: `${stdout}${stderr}` }),
    );
    child.stdin?.end(input);
  });

const namesIn = (text: string): string[] => [
  ...new Set([...text.matchAll(/\blockstep_[a-z_]+/g)].map(([name]) => name)),
];

/** Names of the metrics of Lockstep that a scrape describes. */
const exportedIn = (scrape: string): string[] =>
  [...scrape.matchAll(/^# TYPE (lockstep_\w+) /gm)].map(([, name = '']) => name);

describeWith(['promtool'], 'the alert rules', () => {
  test('promtool accepts the rules, and each alert fires on its trouble and on nothing else', async () => {
    expect(await promtool(['check', 'rules', file('lockstep.rules.yml')])).toMatchObject({
      code: 0,
    });
    expect(await promtool(['test', 'rules', file('lockstep.rules.test.yml')])).toMatchObject({
      code: 0,
    });
    const tests = readFileSync(file('lockstep.rules.test.yml'), 'utf8');
    const alerts = [
      ...readFileSync(file('lockstep.rules.yml'), 'utf8').matchAll(/- alert: (\w+)/g),
    ].map(([, name = '']) => name);
    expect(alerts.length).toBeGreaterThan(10);
    expect(alerts.filter((name) => !tests.includes(`alertname="${name}"`))).toEqual([]);
  });
});

describeWith(['promtool'], 'the dashboard', () => {
  test('promtool parses every query of the dashboard', async () => {
    const { panels } = JSON.parse(readFileSync(file('lockstep-dashboard.json'), 'utf8')) as {
      panels: { targets?: { expr: string }[] }[];
    };
    const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    expect(queries.length).toBeGreaterThan(20);
    const rules = queries.map((query, index) => ({
      record: `query_${index}`,
      expr: query.replaceAll(/\$__(rate_interval|range)/g, '5m').replaceAll('$source', 'crm'),
    }));
    const dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-dashboard-'));
    const written = path.join(dir, 'queries.json');
    // JSON is YAML too.
    writeFileSync(written, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
    expect(await promtool(['check', 'rules', written])).toMatchObject({ code: 0 });
  });
});

describeWith(['slapd', 'postgres', 'temporal', 'promtool'], 'the metrics', () => {
  const suite = workerSuite();
  let api: TestApi;
  let ops: OpsServer;
  beforeAll(async () => {
    const { db } = suite.lockstep.database;
    registerWorkerMetrics(db);
    ops = await startOps({
      host: '127.0.0.1',
      port: 0,
      ready: async () => [],
      beforeScrape: () => endRemovedSeries(db),
    });
    api = await suite.startApi();
  });
  afterEach(() => suite.lockstep.configure(companyDocument(suite.company)));
  afterAll(async () => {
    await ops.close();
    register.clear();
  });

  const scrape = async (url = `http://${ops.address}`): Promise<string> =>
    (await fetch(`${url}/metrics`)).text();
  /** The value of a series, 0 when there is none. */
  async function seriesValue(series: string, url?: string): Promise<number> {
    const line = (await scrape(url)).split('\n').find((one) => one.startsWith(`${series} `));
    return Number(line?.split(' ')[1] ?? 0);
  }
  /** By how much each series grows while `work` runs. */
  async function growth(series: readonly string[], work: () => Promise<unknown>) {
    const before = await Promise.all(series.map((one) => seriesValue(one)));
    await work();
    const after = await Promise.all(series.map((one) => seriesValue(one)));
    return after.map((value, index) => value - (before[index] ?? 0));
  }
  const change = async (person: string) =>
    suite.lockstep.readEnd(await suite.lockstep.accept({ person, password: newPassword() }));

  test('every change, outcome and verdict is counted once, by its state and reason', async () => {
    const { person, accounts } = await suite.addPerson('directory', 'apps', 'warehouse');
    await suite.rejectPasswords(accounts[1]);
    const series = [
      'lockstep_changes_total{state="partial"}',
      'lockstep_outcomes_total{source="directory",state="applied",reason="none"}',
      'lockstep_outcomes_total{source="apps",state="rejected",reason="policy_too_short"}',
      'lockstep_outcomes_total{source="warehouse",state="applied",reason="none"}',
      'lockstep_attempts_total{source="apps",state="rejected",reason="policy_too_short"}',
      'lockstep_change_verdict_seconds_count{state="applied"}',
      'lockstep_change_duration_seconds_count{state="partial"}',
      'lockstep_capture_duration_seconds_count{state="partial"}',
    ];
    expect(await growth(series, () => change(person))).toEqual([1, 1, 1, 1, 1, 1, 1, 0]);
  });

  test('a refused change is counted with the reason of its auth account, and its other accounts as not attempted', async () => {
    const { person, accounts } = await suite.addPerson('directory', 'apps');
    await suite.rejectPasswords(accounts[0]);
    const series = [
      'lockstep_changes_total{state="refused"}',
      'lockstep_change_verdict_seconds_count{state="rejected"}',
      'lockstep_outcomes_total{source="apps",state="not_attempted",reason="auth_unchanged"}',
      'lockstep_attempts_total{source="apps",state="applied",reason="none"}',
    ];
    expect(await growth(series, () => change(person))).toEqual([1, 1, 1, 0]);
  });

  test('an account that waits is an attempt each time, and an outcome only when it is settled', async () => {
    const { person } = await suite.addPerson('directory', 'apps');
    await suite.takeAway('apps');
    const waiting = 'lockstep_attempts_total{source="apps",state="waiting",reason="unreachable"}';
    const cancelled = 'lockstep_outcomes_total{source="apps",state="cancelled",reason="none"}';
    const grown = await growth([waiting, cancelled], async () => {
      const id = await suite.lockstep.accept({ person, password: newPassword() });
      await suite.lockstep.readUntil(id, ({ state }) => state === 'waiting');
      expect(await seriesValue('lockstep_waiting_accounts{source="apps",state="waiting"}')).toBe(1);
      await suite.lockstep.command(id, 'cancel', 'apps');
      await suite.lockstep.readEnd(id);
    });
    expect(grown[0]).toBeGreaterThanOrEqual(1);
    expect(grown[1]).toBe(1);
    expect(await seriesValue('lockstep_waiting_accounts{source="apps",state="waiting"}')).toBe(0);
  });

  test('the series of a source end when it is removed from the configuration', async () => {
    const { person } = await suite.addPerson('directory', 'apps');
    await change(person);
    await pauseSource(suite.lockstep.database.db, 'apps', 'source_paused', 'test');
    const paused =
      'lockstep_source_trouble_seconds{source="apps",state="paused",reason="source_paused"}';
    expect(await scrape()).toContain(paused);
    expect(await scrape()).toContain('lockstep_outcomes_total{source="apps"');
    const { apps: _removed, ...sources } = suite.company.sources();
    await suite.lockstep.configure({
      ...companyDocument(suite.company),
      sources,
      groups: { all: { policy: 'everyone', authSource: 'directory', sources: ['directory'] } },
    });
    const after = await scrape();
    expect(after).not.toContain('source="apps"');
    expect(after).toContain('lockstep_outcomes_total{source="directory"');
  });

  test('the api counts its requests by route template and status class, those that it cannot parse included', async () => {
    const { person } = await suite.addPerson('directory');
    const path = `/v1/identities/${person}`;
    const key = await api.newKey(['admin']);
    expect((await api.send('GET', path, { key })).status).toBe(200);
    expect((await api.send('GET', path, { key: null })).status).toBe(401);
    expect((await api.send('GET', '/nothing/here', { key })).status).toBe(404);
    await fetch(`${api.url}/v1/changes`, { headers: { 'x-long': 'x'.repeat(60_000) } });
    const requests = (labels: string) =>
      seriesValue(`lockstep_api_requests_total{${labels}}`, api.opsUrl);
    const route = 'method="GET",route="/v1/identities/{name}"';
    expect(await requests(`${route},status="2xx"`)).toBe(1);
    expect(await requests(`${route},status="4xx"`)).toBe(1);
    expect(await requests('method="GET",route="none",status="4xx"')).toBe(1);
    expect(await requests('method="none",route="none",status="4xx"')).toBe(1);
    expect(
      await seriesValue(`lockstep_api_request_duration_seconds_count{${route}}`, api.opsUrl),
    ).toBe(2);
    expect(await scrape(api.opsUrl)).not.toContain(person);
  });

  test('promtool finds no fault in the metrics of api and worker', async () => {
    await change((await suite.addPerson('directory', 'apps')).person);
    for (const text of [await scrape(), await scrape(api.opsUrl)])
      expect(await promtool(['check', 'metrics'], text)).toEqual({ code: 0, text: '' });
  });

  test('every metric that the rules and the dashboard use is exported, and every exported one is documented', async () => {
    const exported = [
      ...exportedIn(await scrape()),
      ...exportedIn(await scrape(api.opsUrl)),
      // It is registered when traces are on.
      'lockstep_trace_spans_total',
    ];
    const used = ['lockstep.rules.yml', 'lockstep.rules.test.yml', 'lockstep-dashboard.json']
      .flatMap((name) => namesIn(readFileSync(file(name), 'utf8')))
      .map((name) => name.replace(/_bucket$/, ''));
    expect(used.length).toBeGreaterThan(20);
    expect(used.filter((name) => !exported.includes(name))).toEqual([]);
    const documented = namesIn(readFileSync(file('README.md'), 'utf8'));
    expect(exported.filter((name) => !documented.includes(name))).toEqual([]);
  });

  test('/metrics, /livez and /readyz answer HEAD like GET, without a body', async () => {
    for (const path of ['metrics', 'livez', 'readyz']) {
      const answer = await fetch(`http://${ops.address}/${path}?from=a-probe`, { method: 'HEAD' });
      expect([answer.status, await answer.text()]).toEqual([200, '']);
      const posted = await fetch(`http://${ops.address}/${path}`, { method: 'POST' });
      expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    }
  });
});
