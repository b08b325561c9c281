import { syslogLine } from '../../cli/text/syslog';
import { claimJob, finishJob } from '../../store/sources/jobs';
import { startTestApi, type TestApi } from '../support/api';
import { chainAll, verifyAll } from '../support/audit-chain';
import { addPerson, applyTestConfiguration } from '../support/played-worker';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { lockstepAt, shown } from './run-cli';

const record = {
  position: 7,
  at: '2026-11-29T01:02:03.456Z',
  actor: {
    id: 'api-key:key_1',
    name: 'desk',
    agent: 'ada.marsh',
    issuer: null,
    says: 'ada.marsh, with "desk"',
  },
  action: 'api-key.created',
  severity: 'notice' as const,
  says: 'Created the API key "x".',
  person: null,
  source: null,
  account: 'cn="a\\b]c\n<134>1 forged',
  change: null,
  subject: null,
  subjectName: null,
  detail: {},
};

test('a syslog line has the priority, header and escaped structured data of RFC 5424, and stays one line', () => {
  const line = syslogLine(record, 'lockstep.example.com');
  expect(line).toBe(
    '<109>1 2026-11-29T01:02:03.456Z lockstep.example.com lockstep - api-key.created ' +
      '[lockstep@32473 position="7" action="api-key.created" actor="api-key:key_1" actorName="desk" agent="ada.marsh" ' +
      'account="cn=\\"a\\\\b\\]c\ufffd<134>1 forged" detail="{}"] ' +
      '\ufeffada.marsh, with "desk": Created the API key "x".',
  );
  const longAction = { ...record, action: 'capture.password_against_policy' };
  expect(syslogLine(longAction, 'h')).toContain(' - capture.password_against_policy [');
  expect(syslogLine({ ...record, severity: 'warning' }, 'h')).toMatch(/^<108>1 /);
});

describeWith(['postgres'], 'lockstep audit', () => {
  let api: TestApi;
  const lockstep = lockstepAt(() => api);

  beforeAll(async () => {
    api = await startTestApi();
    await applyTestConfiguration(api.database.db);
    await addPerson(api.database.db, 'alice');
  });
  afterAll(() => api.stop());

  test('lockstep audit shows the newest records last, with names and sentences', async () => {
    await api.send('POST', '/v1/sources/crm/pause');
    const { code, stdout } = await lockstep(['audit', '--limit', '2']);
    const lines = stdout.trimEnd().split('\n');
    expect([code, lines.length]).toEqual([0, 2]);
    expect(lines[1]).toMatch(
      /^\d{4}-\S+Z {2}source\.paused {11}the API key "first admin": The source crm was paused\./,
    );
    const alice = await lockstep(['audit', '--person', 'alice', '--since', '1h']);
    expect(alice.stdout).toContain('The person alice was added or updated.');
    expect(alice.stdout).not.toContain('crm');
  });

  test('lockstep audit exports every record in the order of the chain, as JSON lines and as syslog', async () => {
    await chainAll(api.database.db);
    const json = await lockstep(['audit', '--all', '--format', 'jsonl']);
    const records = json.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(records.map(({ position }) => position)).toEqual(records.map((_, index) => index + 1));
    const rest = await lockstep(['audit', '--after', '2', '--format', 'syslog']);
    const lines = rest.stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(records.length - 2);
    for (const line of lines)
      expect(line).toMatch(
        /^<(?:108|109|110)>1 \S+ 127\.0\.0\.1 lockstep - \S+ \[lockstep@32473 .*\] \ufeff/,
      );
  });

  test('lockstep audit --follow prints a record once it is chained, and ends at Ctrl-C', async () => {
    await chainAll(api.database.db);
    const { code, stdout } = await lockstep(['audit', '--limit', '1', '--follow'], {
      during: async (running) => {
        await shown(running, 'Z  ');
        await api.send('POST', '/v1/sources/vault/pause');
        await chainAll(api.database.db);
        await shown(running, 'The source vault was paused.');
        running.interrupt();
      },
    });
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n')).toHaveLength(2);
  });

  test('lockstep audit verify shows what was verified, and exits with 1 if a record does not fit', async () => {
    const asWorker = async () => {
      const { db } = api.database;
      await until(async () => {
        const job = await claimJob(db, 60);
        if (job === null) return false;
        await finishJob(db, job.id, 'done', await verifyAll(db));
        return true;
      });
    };
    const good = await lockstep(['audit', 'verify'], { during: asWorker });
    expect([good.code, good.stdout]).toEqual([0, expect.stringMatching(/^Verified \d+ audit rec/)]);
    await api.database.pool.query(`update audit set actor = 'intruder' where position = 3`);
    const bad = await lockstep(['audit', 'verify'], { during: asWorker });
    expect([bad.code, bad.stdout]).toEqual([1, expect.stringContaining('Record 3 was altered')]);
  });
});
