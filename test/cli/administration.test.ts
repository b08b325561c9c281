import { reportPresence } from '../../store/presence';
import { recordHistory } from '../../store/sources/record-history';
import { openCircuit, pauseSource } from '../../store/sources/state';
import { startTestApi, type TestApi } from '../support/api';
import { chainAll } from '../support/audit-chain';
import {
  addPerson,
  applyTestConfiguration,
  ended,
  planned,
  settled,
} from '../support/played-worker';
import { describeWith } from '../support/servers';
import { acceptedChange } from './accepted';
import { lockstepAt } from './run-cli';

describeWith(['postgres'], 'administration on the command line', () => {
  let api: TestApi;
  const lockstep = lockstepAt(() => api);

  beforeAll(async () => {
    api = await startTestApi();
    await applyTestConfiguration(api.database.db);
    await addPerson(api.database.db, 'alice');
  });
  afterAll(() => api.stop());

  test('lockstep keys create prints a working key alone on stdout, and lockstep keys revoke ends it', async () => {
    const args = [
      'keys',
      'create',
      'help desk',
      '--scope',
      'read',
      '--group',
      'one-password',
      '--expires',
      '90d',
    ];
    const { stdout, stderr } = await lockstep(args);
    expect(stdout).toMatch(/^lks_[0-9a-z]{26}_[\w-]{43}\n$/);
    const id = /key_\w+/.exec(stderr)?.[0] ?? '';
    const LOCKSTEP_API_KEY = stdout.trim();
    expect((await lockstep(['changes'], { env: { LOCKSTEP_API_KEY } })).code).toBe(0);
    const listed = await lockstep(['keys', 'list']);
    expect(listed.stdout).toMatch(
      new RegExp(`^${id} +help desk +read in one-password +\\d+ s ago +in 89 d|in 90 d$`, 'm'),
    );
    expect(listed.stdout).not.toContain(LOCKSTEP_API_KEY);
    expect((await lockstep(['keys', 'revoke', id])).stdout).toBe(`Revoked ${id}.\n`);
    const refused = await lockstep(['changes'], { env: { LOCKSTEP_API_KEY } });
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining('The API key is missing or not valid'),
    ]);
    expect((await lockstep(['keys', 'revoke', id])).stderr).toContain(
      `There is no key ${id}, or it is already revoked.`,
    );
  });

  test('lockstep identities set links accounts and keeps everything that no option names', async () => {
    const dn = 'uid=bob:primary,ou=people,dc=example';
    await lockstep([
      'identities',
      'set',
      'bob',
      '--attribute',
      'mail=bob@example.com',
      '--attribute',
      'city=Ulm',
      '--account',
      `directory:${dn}:primary`,
    ]);
    await lockstep([
      'identities',
      'set',
      'bob',
      '--attribute',
      'city=',
      '--account',
      'warehouse:bob',
      '--map',
      'reports=bob',
    ]);
    const { stdout } = await lockstep(['identities', 'show', 'bob', '-o', 'json']);
    expect(JSON.parse(stdout)).toMatchObject({
      attributes: { mail: 'bob@example.com' },
      accounts: [
        { source: 'directory', name: dn, primary: true },
        { source: 'warehouse', name: 'bob', primary: false },
      ],
      mappings: [{ application: 'reports', account: 'bob' }],
    });
    const conflicting = await lockstep(['identities', 'set', 'dave', '--account', 'warehouse:bob']);
    expect([conflicting.code, conflicting.stderr]).toEqual([
      1,
      expect.stringContaining('accounts.0: is linked to another person'),
    ]);
    expect((await lockstep(['identities', 'unlink', 'bob', 'warehouse:bob'])).code).toBe(0);
    const table = await lockstep(['identities', 'list']);
    expect(table.stdout).toMatch(/^bob +directory$/m);
    const missing = await lockstep(['identities', 'show', 'unknown.person']);
    expect([missing.code, missing.stderr]).toEqual([
      1,
      expect.stringContaining('There is no person unknown.person.'),
    ]);
  });

  test('lockstep lists, shows, retries, parks and cancels changes', async () => {
    const { db } = api.database;
    await reportPresence(db, 'test');
    await addPerson(db, 'carol');
    const first = await acceptedChange(api, 'carol');
    const second = await acceptedChange(api, 'carol');
    await planned(db, second, 'carol');
    await settled(db, second, 'directory');
    await settled(db, second, 'warehouse', {
      state: 'waiting',
      reason: 'busy',
      nextTryInMs: 90_000,
    });

    const list = await lockstep(['changes', '--identity', 'carol', '--limit', '1']);
    expect(list.stdout).toMatch(new RegExp(`^… +${second} +carol +\\w+ +1 of 2 +\\d+ s ago$`, 'm'));
    expect(list.stderr).toBe(
      `There are more changes. Next: repeat the command with --cursor ${second}, or with --all.\n`,
    );
    const all = await lockstep([
      'changes',
      '--identity',
      'carol',
      '--limit',
      '1',
      '--all',
      '-o',
      'json',
    ]);
    expect(JSON.parse(all.stdout).changes.map(({ id }: { id: string }) => id)).toEqual([
      second,
      first,
    ]);

    const status = await lockstep(['status', 'last']);
    expect(status.code).toBe(4);
    expect(status.stdout).toMatch(
      /^✔ +directory \(auth\) +carol +holds the new password, verified by a login$/m,
    );
    expect(status.stdout).toMatch(
      /^… +warehouse +carol +waiting: busy, attempt 0, next attempt in 1 min$/m,
    );
    expect(status.stdout).toContain('Why:\n  warehouse: The source reports that it is busy.');

    for (const verb of ['retry', 'park', 'cancel'])
      expect((await lockstep([verb, 'last', 'warehouse'])).code).toBe(0);
    expect((await lockstep(['cancel', first])).code).toBe(0);
    const commands = await db
      .selectFrom('command')
      .where('kind', '<>', 'supersede')
      .select(['change_id', 'kind', 'label'])
      .orderBy('id')
      .execute();
    expect(commands).toEqual([
      { change_id: second, kind: 'retry', label: 'warehouse' },
      { change_id: second, kind: 'park', label: 'warehouse' },
      { change_id: second, kind: 'cancel', label: 'warehouse' },
      { change_id: first, kind: 'cancel', label: null },
    ]);

    await ended(db, first, { state: 'cancelled', reason: null });
    const late = await lockstep(['retry', first]);
    expect([late.code, late.stderr]).toEqual([1, expect.stringContaining('The change has ended')]);
    const unknown = await lockstep(['status', 'chg_nothing']);
    expect([unknown.code, unknown.stderr]).toEqual([
      1,
      expect.stringContaining('There is no change chg_nothing'),
    ]);
  });

  test('lockstep sources and lockstep status show why a source is not up and what to do', async () => {
    const { db } = api.database;
    const status = async () => {
      await reportPresence(db, 'test');
      return (await lockstep(['status', change])).stdout;
    };
    await addPerson(db, 'dora');
    const change = await acceptedChange(api, 'dora');
    await planned(db, change, 'dora');
    await settled(db, change, 'directory');
    const waiting = { state: 'waiting', reason: 'unreachable', nextTryInMs: 90_000 } as const;
    await settled(db, change, 'warehouse', waiting);

    await openCircuit(db, 'warehouse', 'unreachable', 600_000);
    const down = await lockstep(['sources']);
    expect(down.code).toBe(0);
    expect(down.stdout).toMatch(/^✔ +crm +ldap +up +0 +0 +never$/m);
    expect(down.stdout).toMatch(/^✖ +warehouse +ldap +down for \d+ s +\d+ +0 +in \d+ min +never$/m);
    expect(down.stdout).toMatch(
      /^ {2}lockstep doctor warehouse\n {2}lockstep sources retry warehouse$/m,
    );
    expect(await status()).toMatch(
      /^… +warehouse +dora +waiting: unreachable, attempt 0, next attempt in \d+ min$/m,
    );

    await pauseSource(db, 'warehouse', 'service_credential_refused', 'worker');
    const refused = await status();
    expect(refused).toMatch(
      /^… +warehouse +dora +waiting: service credential refused, attempt 0$/m,
    );
    expect(refused).toContain('lockstep doctor warehouse');
    expect(refused).toContain('lockstep sources resume warehouse');
    expect((await lockstep(['sources', 'retry', 'warehouse'])).stderr).toContain('resume');

    expect((await lockstep(['sources', 'resume', 'warehouse'])).stdout).toMatch(/^✔ +warehouse/m);
    const paused = await lockstep(['sources', 'pause', 'warehouse']);
    expect(paused.stdout).toMatch(/^! +warehouse +ldap +paused for \d+ s/m);
    expect(paused.stdout).not.toContain('doctor');
    await lockstep(['sources', 'resume', 'warehouse']);

    await settled(db, change, 'warehouse', { ...waiting, state: 'parked', reason: 'unknown' });
    await chainAll(api.database.db);
    while (await recordHistory(api.database.db));
    const history = await lockstep(['sources', 'history', 'warehouse']);
    expect(history.stdout).toMatch(/^warehouse\n {2}In 24 hours: 0 accounts written, 0 refused, /);
    expect((await lockstep(['sources', 'history', 'nowhere'])).stderr).toContain(
      'There is no source "nowhere"',
    );
    const groups = await lockstep(['sources', 'waiting', 'warehouse']);
    expect(groups.stdout).toMatch(/^parked +unknown +1 /m);
    expect(groups.stdout).toContain('lockstep sources retry warehouse --reason unknown');
    const ordered = await lockstep(['sources', 'park', 'warehouse', '--reason', 'account_locked']);
    expect(ordered.stdout).toMatch(/^Requested to park 0 accounts in warehouse/);
    const wrong = await lockstep(['sources', 'park', 'warehouse', '--reason', 'bored']);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('reason')]);
    const parked = await status();
    expect(parked).toMatch(/^! +warehouse +dora +parked: unknown, attempt 0$/m);
    expect(parked).toContain(`lockstep retry ${change} warehouse`);
    expect(parked).toContain(`lockstep cancel ${change} warehouse`);
    const unknown = await lockstep(['sources', 'pause', 'nowhere']);
    expect([unknown.code, unknown.stderr]).toEqual([
      2,
      expect.stringContaining('There is no source "nowhere"'),
    ]);
  });

  test('lockstep identities and lockstep keys without a verb show the list', async () => {
    const people = await lockstep(['identities', '--all']);
    expect(people).toEqual(await lockstep(['identities', 'list', '--all']));
    expect(people.code).toBe(0);
    const [header] = (await lockstep(['keys', 'list'])).stdout.split('\n');
    expect((await lockstep(['keys'])).stdout).toContain(`${header}\n`);
  });

  test('the command line shows control characters in a name instead of sending them to the terminal', async () => {
    await addPerson(api.database.db, 'mallory\x1b[2J\u202e', ['crm']);
    const { stdout } = await lockstep(['identities', 'list']);
    expect(stdout).toContain('mallory\ufffd[2J\ufffd');
    expect(stdout).not.toContain('\x1b');
    const json = await lockstep(['identities', 'list', '-o', 'json']);
    for (const control of ['\u202e', '\x1b']) expect(json.stdout).not.toContain(control);
    expect(JSON.stringify(JSON.parse(json.stdout))).toContain('\u202e');
  });
});
