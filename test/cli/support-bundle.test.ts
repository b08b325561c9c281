import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { accountRulesOf } from '../../connectors/registry';
import { configurationSchema } from '../../model/configuration/document';
import { applyConfiguration } from '../../store/configuration/versions';
import { claimJob, finishJob } from '../../store/sources/jobs';
import type { JobKind } from '../../store/tables';
import { startTestApi, type TestApi } from '../support/api';
import { createScanner } from '../support/canary';
import { addPerson } from '../support/played-worker';
import { describeWith } from '../support/servers';
import { lockstep, lockstepAt } from './run-cli';

const PASSWORD = 'correct horse battery staple';

describeWith(['postgres'], 'lockstep support-bundle', () => {
  let api: TestApi;
  const here = lockstepAt(() => api);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'lockstep-bundle-'));
  const log = path.join(folder, 'worker.log');
  let bundles = 0;
  const results: Readonly<Partial<Record<JobKind, object>>> = {
    check: { findings: [] },
    'verify-audit': {
      ...{ intact: true, from: null, to: null, keyedFrom: null, anchored: null, unchained: 0 },
      problem: null,
    },
  };

  beforeAll(async () => {
    api = await startTestApi();
    const { db } = api.database;
    const settings = { url: 'ldaps://dc1.corp.example', bindPassword: '${file:corp}' };
    const document = {
      version: 1,
      sources: { directory: { kind: 'ldap', settings, policy: 'staff' } },
      policies: { staff: {} },
    };
    await applyConfiguration(db, configurationSchema.parse(document), 0, 'test', accountRulesOf);
    await addPerson(db, 'anna.fuchs', ['directory']);
    writeFileSync(
      log,
      [
        '{"level":"info","msg":"an account waits","source":"directory","account":"cn=anna.fuchs","address":"anna.fuchs@corp.example"}',
        'Error: something else printed a canary-in-the-log',
      ].join('\n'),
    );
  });
  afterAll(() => api.stop());

  /** Runs the command while a worker answers its jobs, and reads the files that it has written. */
  async function bundle(...options: string[]) {
    const out = path.join(folder, String(++bundles));
    const { code, stdout } = await here(
      ['support-bundle', '--out', out, '--metrics', api.opsUrl, '--log', log, ...options],
      {
        during: async ({ over }) => {
          while (!over()) {
            const job = await claimJob(api.database.db, 60);
            if (job !== null) await finishJob(api.database.db, job.id, 'done', results[job.kind]);
          }
        },
      },
    );
    const files = Object.fromEntries(
      readdirSync(out).map((name) => [name, readFileSync(path.join(out, name), 'utf8')]),
    );
    return { code, stdout, out, files, all: Object.values(files).join('\n') };
  }

  test('the bundle has what helps, and only its owner can read it', async () => {
    const { code, files, out } = await bundle();
    expect(code).toBe(0);
    expect(Object.keys(files).sort()).toEqual([
      ...['README.txt', 'api.json', 'captures.json', 'changes.json', 'command-line.json'],
      ...['configuration.json', 'doctor.json', 'log-1.jsonl', 'presence.json'],
      ...['process-1-metrics.txt', 'process-1-readyz.txt', 'relays.json', 'sources.json'],
      'stale.json',
    ]);
    expect(JSON.parse(files['api.json'] ?? '')).toMatchObject({
      release: expect.stringMatching(/^\d/),
      migration: expect.stringMatching(/^\d{4}-/),
      configurationVersion: 1,
      environment: { DATABASE_URL: 'set', LOCKSTEP_LOG_LEVEL: 'debug' },
    });
    expect(files['configuration.json']).toContain('${file:corp}');
    expect(files['process-1-metrics.txt']).toContain('process_cpu_seconds_total');
    expect(statSync(out).mode & 0o777).toBe(0o700);
    for (const name of Object.keys(files))
      expect(statSync(path.join(out, name)).mode & 0o777).toBe(0o600);
  });

  test('the bundle contains no secret in any encoding, and no name unless it is asked for', async () => {
    const body = { identity: 'anna.fuchs', password: PASSWORD };
    expect((await api.send('POST', '/v1/changes', { body })).status).toBe(202);
    const scanner = createScanner({
      password: PASSWORD,
      'the key': api.adminKey(),
      'the password of the database': new URL(api.database.url).password,
      'what others print': 'canary-in-the-log',
    });
    const { out, all } = await bundle();
    await scanner.folder('bundle', out);
    expect(all).not.toContain('anna.fuchs');
    const named = await bundle('--with-names');
    await scanner.folder('bundle with names', named.out);
    expect(named.files['changes.json']).toContain('anna.fuchs');
    expect(named.files['log-1.jsonl']).toContain('anna.fuchs');
    expect(scanner.findings).toEqual([]);
    expect([...scanner.searched.keys()].length).toBeGreaterThan(20);
  });

  test('--redact-hosts replaces the names of hosts', async () => {
    expect((await bundle()).all).toContain('dc1.corp.example');
    const { all } = await bundle('--redact-hosts');
    expect(all).not.toContain('corp.example');
    expect(all).toContain('ldaps://host-');
  });

  test('the bundle is made without an API, says what is missing, and exits with 3', async () => {
    const out = path.join(folder, 'alone');
    const { code } = await lockstep(['support-bundle', '--out', out, '--log', log], {
      env: { LOCKSTEP_URL: 'http://127.0.0.1:1', LOCKSTEP_API_KEY_FILE: '/nothing' },
    });
    expect(code).toBe(3);
    expect(readdirSync(out).sort()).toEqual(['README.txt', 'command-line.json', 'log-1.jsonl']);
    const readme = readFileSync(path.join(out, 'README.txt'), 'utf8');
    expect(readme).toContain('- the API: The key file /nothing cannot be read');
    expect(readme).toContain('- doctor.json: ');
  });
});
