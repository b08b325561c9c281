import { mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { CandidateCheck } from '../../model/api/job-results';
import { removePresence, reportPresence } from '../../store/presence';
import { claimJob, finishJob, forgetCandidateChecks, readJob } from '../../store/sources/jobs';
import { startTestApi, type TestApi } from '../support/api';
import { applyTestConfiguration } from '../support/played-worker';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { lockstepAt } from './run-cli';

/** The routes and commands for a source before it is configured, and for the policy of a group. */
describeWith(['postgres'], 'a source that is not configured', () => {
  let api: TestApi;
  const lockstep = lockstepAt(() => api);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'lockstep-connect-'));
  const file = path.join(folder, 'lockstep.yaml');

  beforeAll(async () => {
    api = await startTestApi();
    await applyTestConfiguration(api.database.db);
    writeFileSync(
      file,
      'version: 1\nsources:\n  wiki:\n    kind: command\n    settings:\n      command: /opt/wiki\n      proof: none\n  broken:\n    kind: ldap\n    settings:\n      url: ldaps://x\n      bindPassword: plain\n',
    );
  });
  afterAll(() => api.stop());

  const settings = { command: '/opt/wiki', proof: 'none' };
  const check = (body: object, key?: string) =>
    api.send('POST', '/v1/sources/check', { body, ...(key === undefined ? {} : { key }) });

  /** Does one check as a worker would. */
  const worker = (result: CandidateCheck) => async () =>
    until(async () => {
      const job = await claimJob(api.database.db, 60, ['check']);
      if (job === null) return false;
      expect([job.source, job.parameters]).toEqual([null, { kind: 'command', settings }]);
      await finishJob(api.database.db, job.id, 'done', result);
      return true;
    });
  const found = (verdict: 'ok' | 'wrong'): CandidateCheck => ({
    findings: [{ check: 'reachable', verdict, says: 'The program answered.' }],
    policies: [],
    accounts:
      verdict === 'ok' ? [{ name: 'alice', attributes: { mail: 'a@x', userPassword: null } }] : [],
    listing: null,
  });

  test('lockstep sources try shows the findings and the first accounts of a source of a file', async () => {
    const { code, stdout } = await lockstep(['sources', 'try', 'wiki', '-f', file], {
      during: worker(found('ok')),
    });
    expect(code).toBe(0);
    expect(stdout).toContain('wiki (command)\n  ✔ reachable  The program answered.');
    expect(stdout).toMatch(/alice +mail=a@x, userPassword=\(not shown\)/);
    const wrong = await lockstep(['sources', 'try', 'wiki', '-f', file], {
      during: worker(found('wrong')),
    });
    expect(wrong.code).toBe(1);
  });

  test('lockstep sources try shows each mistake of the settings with its line', async () => {
    const { code, stderr } = await lockstep(['sources', 'try', 'broken', '-f', file]);
    expect(code).toBe(2);
    expect(stderr).toContain(`${file}:12:7  settings.bindPassword: holds a secret`);
    expect(stderr).not.toContain('plain');
    const unknown = await lockstep(['sources', 'try', 'nothing', '-f', file]);
    expect([unknown.code, unknown.stderr]).toEqual([
      2,
      expect.stringContaining('There is no source "nothing"'),
    ]);
  });

  test('lockstep sources kinds lists the kinds, and the settings of one', async () => {
    const all = await lockstep(['sources', 'kinds']);
    expect(all.stdout).toContain('active-directory');
    const one = await lockstep(['sources', 'kinds', 'ldap']);
    expect(one.stdout).toContain('bindPassword  (a reference to a secret)');
    expect((await lockstep(['sources', 'kinds', 'fax'])).code).toBe(2);
  });

  test('a check keeps to the places of the secrets, and needs the scope configure', async () => {
    const { db } = api.database;
    const secrets = { folder: '/etc/lockstep/secrets', prefix: 'LOCKSTEP_SECRET_' };
    await reportPresence(db, 'worker-1', { secrets });
    const withSecret = (bindPassword: string) => ({
      kind: 'ldap',
      settings: { url: 'ldaps://x', bindDn: 'cn=x', base: 'dc=x', bindPassword },
    });
    const before = await db.selectFrom('job').select('id').execute();
    for (const reference of ['${file:/etc/shadow}', '${env:PATH}', 'plain']) {
      const { status, body } = await check(withSecret(reference));
      expect([status, body.code]).toEqual([422, 'configuration_invalid']);
      expect(body.issues).toEqual([
        expect.objectContaining({ path: ['settings', 'bindPassword'] }),
      ]);
    }
    expect((await check({ kind: 'fax', settings: {} })).status).toBe(422);
    expect(await db.selectFrom('job').select('id').execute()).toEqual(before);
    await removePresence(db, 'worker-1');
    expect(
      (await check({ kind: 'pull', settings: {} }, await api.newKey(['operate']))).status,
    ).toBe(403);
  });

  test('a key with the scope configure reads its own check, and the result is deleted after an hour', async () => {
    const { db } = api.database;
    const [key, other] = [await api.newKey(['configure']), await api.newKey(['configure'])];
    const { body } = await check({ kind: 'command', settings }, key);
    const id = String(body.job);
    const read = async (by: string) =>
      (await api.send('GET', `/v1/jobs/${id}`, { key: by })).status;
    expect([await read(key), await read(other)]).toEqual([200, 404]);
    await worker(found('ok'))();
    await forgetCandidateChecks(db);
    expect(await readJob(db, id)).not.toBeNull();
    const hourAgo = new Date(Date.now() - 3_700_000);
    await db.updateTable('job').set({ created_at: hourAgo }).where('id', '=', id).execute();
    await forgetCandidateChecks(db);
    expect(await readJob(db, id)).toBeNull();
  });

  test('lockstep groups show lists the rules of a group with examples that break them', async () => {
    const { code, stdout } = await lockstep(['groups', 'show', 'one-password']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /minLength\n {2}policy \(staff\) requires \d+ characters or more\n {2}breaks it: /,
    );
    const unfiltered = await lockstep(['groups', 'try-filter', 'one-password', 'directory']);
    expect([unfiltered.code, unfiltered.stderr]).toEqual([
      2,
      expect.stringContaining('has no password filter'),
    ]);
  });

  test('a filter is tried on samples, and a wrong one is explained', async () => {
    const send = (filter: object) =>
      api.send('POST', '/v1/password-filters/try', { body: { filter, samples: ['Grüße 42'] } });
    const { body } = await send({ case: 'upper', allowed: 'A-Z0-9', maxLength: 6 });
    expect(body).toMatchObject({
      samples: [{ sample: 'Grüße 42', written: 'GRSSE4', broken: [] }],
    });
    const wrong = await send({ allowed: 'z-a' });
    expect([wrong.status, wrong.body.issues]).toEqual([
      422,
      [expect.objectContaining({ path: ['passwordFilter', 'allowed'] })],
    ]);
  });
});
