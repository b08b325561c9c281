import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { withoutShared } from '../../cli/commands/mappings-generate';
import { readMappingRows } from '../../cli/mappings/read-rows';
import type { ShownRow } from '../../cli/mappings/rows';
import { accountRulesOf } from '../../connectors/registry';
import { configurationSchema } from '../../model/configuration/document';
import { applyConfiguration } from '../../store/configuration/versions';
import { startTestApi, type TestApi } from '../support/api';
import { addPerson, testConfiguration } from '../support/played-worker';
import { describeWith } from '../support/servers';

import { refusalOf } from './refusal';
import { lockstepAt } from './run-cli';

const configuration = configurationSchema.parse({
  ...testConfiguration,
  peopleGroups: { clerks: { identities: ['alice', 'bob', 'carol'] } },
  applications: {
    reports: { source: 'warehouse', users: { groups: ['clerks'] } },
    host: { source: 'crm', type: 'host-group' },
    kiosk: {
      source: 'warehouse',
      type: 'group',
      shared: [{ group: 'clerks', identity: 'shared-clerk' }],
    },
  },
});

test('an account that a rule gives to people of two pages is created for neither', () => {
  const row = (identity: string, account: string, links: boolean): ShownRow => ({
    ...{ line: null, status: 'create', reason: null, says: null, application: 'reports' },
    ...{ identity, account, links },
  });
  const rows = [row('ann', 'SMITH', true), row('bob', 'smith', true), row('cleo', 'cleo', true)];
  expect(withoutShared(rows).map(({ status, reason, links }) => [status, reason, links])).toEqual([
    ['conflict', 'account_twice_in_list', false],
    ['conflict', 'account_twice_in_list', false],
    ['create', null, true],
  ]);
});

describeWith(['postgres'], 'an import of mappings', () => {
  let api: TestApi;
  let dir: string;
  const lockstep = lockstepAt(() => api);
  const run = (...args: string[]) => lockstep(['mappings', ...args]);
  const file = (name: string, content: string | Buffer): string => {
    const full = path.join(dir, name);
    writeFileSync(full, content);
    return full;
  };
  const rowsOf = (stdout: string) =>
    (JSON.parse(stdout) as { rows: { status: string; reason: string | null }[] }).rows.map(
      ({ status, reason }) => reason ?? status,
    );
  const mapped = async (application: string) => {
    const { stdout } = await run('--application', application, '--all', '-o', 'json');
    const { mappings } = JSON.parse(stdout) as {
      mappings: { identity: string; account: string; enabled: boolean }[];
    };
    return mappings.map(({ identity, account, enabled }) => [identity, account, enabled]).sort();
  };

  beforeAll(async () => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-import-'));
    api = await startTestApi();
    const { db } = api.database;
    await applyConfiguration(db, configuration, 0, 'test', accountRulesOf);
    for (const person of ['alice', 'bob', 'carol', 'Dora', 'dora', 'shared-clerk'])
      await addPerson(db, person, ['directory', 'warehouse']);
    const put = (person: string, ...accounts: [string, string][]) =>
      api.send('PUT', `/v1/identities/${person}`, {
        body: { accounts: accounts.map(([source, name]) => ({ source, name })) },
      });
    await put('alice', ['crm', 'alice-1'], ['crm', 'alice-2']);
    await put('bob', ['warehouse', 'bob-2']);
  });
  afterEach(() => api.database.db.deleteFrom('mapping').execute());
  afterAll(async () => {
    await api.stop();
    rmSync(dir, { recursive: true });
  });

  test('lockstep mappings import shows every row before it creates one, and a second run changes nothing', async () => {
    const csv = file(
      'mappings.csv',
      [
        'Application;Identity;Account;Remark',
        'reports;alice;alice;"a; remark"',
        'reports;carol;;',
        'reports;bob;;',
        'reports;dora2;;',
        'reports;DORA;;',
        'reports;bob;carol;',
        'reports;bob;nothing;',
        'wiki;bob;bob;',
        'host;alice;alice-1;',
        'host;alice;alice-2;',
        'host;alice;alice-2;',
        'kiosk;alice;;',
        'kiosk;shared-clerk;;',
      ].join('\r\n'),
    );
    const expected = [
      ...['create', 'create', 'several_accounts', 'identity_unknown', 'several_people'],
      ...['account_of_another', 'account_unknown', 'application_unknown', 'create', 'create'],
      ...['repeated', 'not_shared', 'create'],
    ];
    const preview = await run('import', csv, '--dry-run', '-o', 'json');
    expect([preview.code, rowsOf(preview.stdout)]).toEqual([3, expected]);
    expect(preview.stderr).toBe('The column "Remark" is ignored, and is not sent.\n');
    expect(await mapped('reports')).toEqual([]);

    const refused = await run('import', csv);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('--yes')]);
    expect(await mapped('reports')).toEqual([]);

    const created = await run('import', csv, '--yes');
    expect(created.code).toBe(3);
    expect(created.stdout).toMatch(/^4 +bob +reports +The person has several accounts/m);
    expect(created.stdout).toMatch(/^5 created, 1 there already, 4 in conflict, 3 unknown\.$/m);
    expect(await mapped('reports')).toEqual([
      ['alice', 'alice', false],
      ['carol', 'carol', false],
    ]);
    expect((await mapped('host')).length).toBe(2);
    expect(await mapped('kiosk')).toEqual([['shared-clerk', 'shared-clerk', false]]);

    const again = await run('import', csv, '--yes', '-o', 'json');
    expect(rowsOf(again.stdout)).toEqual(
      expected.map((what) => (what === 'create' || what === 'repeated' ? 'mapped' : what)),
    );
    const { stdout: audit } = await lockstep(['audit', '--person', 'carol']);
    expect(
      audit.match(/application reports uses the account carol .*, but is disabled\./g),
    ).toHaveLength(1);
  });

  test('an import that was interrupted continues where it ended when it is run again', async () => {
    const people = Array.from({ length: 1200 }, (_, number) => `clerk-${number}`);
    await sql`
      with added as (
        insert into identity (id, name) select 'idn_' || n, n from unnest(${people}::text[]) n returning id, name
      )
      insert into account (id, identity_id, source, name, name_key, linked_by)
      select 'acc_' || name, id, 'warehouse', name, name, 'operator' from added`.execute(
      api.database.db,
    );
    const csv = file('large.csv', ['identity', ...people].join('\n'));
    const importing = ['import', csv, '--application', 'reports', '--enable', '--yes'];
    let batches = 0;
    const first = await lockstep(['mappings', ...importing], {
      during: async ({ over }) => {
        while (batches === 0 && !over()) {
          const { count } = await api.database.db
            .selectFrom('mapping')
            .select(({ fn }) => fn.countAll<number>().as('count'))
            .executeTakeFirstOrThrow();
          batches = Number(count);
        }
        await api.stopProcess();
      },
    });
    await api.restart();
    const after = (await mapped('reports')).length;
    expect([500, 1000, 1200]).toContain(after);
    if (after < 1200)
      expect([first.code, first.stderr]).toEqual([
        1,
        expect.stringContaining('Run the command again'),
      ]);
    const second = await run(...importing, '-o', 'json');
    expect(second.code).toBe(0);
    const { counts } = JSON.parse(second.stdout);
    expect([counts.created, counts.exists]).toEqual([1200 - after, after]);
    expect((await mapped('reports')).every(([, , enabled]) => enabled)).toBe(true);
  });

  test('two people who import the same file at the same time create each mapping once', async () => {
    const csv = file('same.csv', 'application,identity\nreports,alice\nreports,carol\n');
    const both = await Promise.all([run('import', csv, '--yes'), run('import', csv, '--yes')]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect((await mapped('reports')).length).toBe(2);
  });

  test('an account that is linked to no one is linked with --link, and to one person only', async () => {
    const csv = file(
      'link.csv',
      'application,identity,account\nhost,carol,HOST-1\nhost,carol,HOST-2\nhost,bob,SHARED\nhost,carol,SHARED\n',
    );
    const rows = async (...more: string[]) =>
      rowsOf((await run('import', csv, '-o', 'json', ...more)).stdout);
    expect(await rows('--dry-run')).toEqual(Array(4).fill('account_unknown'));
    const twice = 'account_twice_in_list';
    expect(await rows('--dry-run', '--link')).toEqual(['create', 'create', twice, twice]);
    expect(await rows('--yes', '--link')).toEqual(['created', 'created', twice, twice]);
    expect(await mapped('host')).toEqual([
      ['carol', 'HOST-1', false],
      ['carol', 'HOST-2', false],
    ]);
  });

  test('a person has at most one mapping of an individual application, however it is created', async () => {
    const csv = file(
      'twice.csv',
      'application,identity,account\nreports,bob,bob\nreports,bob,bob-2\n',
    );
    const { stdout } = await run('import', csv, '--dry-run', '-o', 'json');
    expect(rowsOf(stdout)).toEqual(['several_in_list', 'several_in_list']);
    const set = (...mappings: object[]) =>
      api.send('PUT', '/v1/identities/bob', { body: { mappings } });
    const first = { application: 'reports', account: 'bob' };
    const second = { application: 'reports', account: 'bob-2' };
    expect((await set(first, second)).body).toMatchObject({ code: 'mapping_taken' });
    expect((await set(first)).status).toBe(200);
    expect((await set({ ...first, enabled: false })).status).toBe(200);
    expect((await set(second)).body).toMatchObject({
      code: 'mapping_taken',
      issues: [{ path: ['mappings', 0] }],
    });
    expect(rowsOf((await run('import', csv, '--dry-run', '-o', 'json')).stdout)).toEqual([
      'mapped',
      'person_mapped',
    ]);
    const inGroup = await api.send('PUT', '/v1/identities/bob', {
      body: { mappings: [{ application: 'kiosk', account: 'bob' }] },
    });
    expect(inGroup.body).toMatchObject({
      code: 'request_invalid',
      issues: [{ says: expect.stringContaining('only the identities of its list "shared"') }],
    });
  });

  test('people are found by their account in another source, in any spelling of it', async () => {
    const csv = file('owners.csv', 'application,identity\nreports,alice\nreports,nothing\n');
    const { stdout } = await run(
      'import',
      csv,
      '--owner-source',
      'directory',
      '--yes',
      '-o',
      'json',
    );
    expect(rowsOf(stdout)).toEqual(['created', 'identity_unknown']);
    expect(await mapped('reports')).toEqual([['alice', 'alice', false]]);
  });

  describe('of names that a rule makes', () => {
    const generate = (...args: string[]) => run('generate', ...args, '-o', 'json');
    const accounts = (stdout: string) =>
      (JSON.parse(stdout) as { rows: { account: string }[] }).rows.map(({ account }) => account);
    beforeAll(async () => {
      const attributes = { mail: 'Carol.Ng@example.com' };
      await api.send('PUT', '/v1/identities/carol', { body: { attributes } });
    });

    test('lockstep mappings generate names the accounts of every user of the application, and previews them', async () => {
      const { code, stdout } = await generate('reports', '--dry-run');
      expect([code, accounts(stdout)]).toEqual([0, ['alice', 'bob', 'carol']]);
      expect(await mapped('reports')).toEqual([]);
      expect((await generate('reports', '--yes')).code).toBe(0);
      expect((await mapped('reports')).length).toBe(3);
      const kiosk = await generate('kiosk', '--dry-run');
      expect(accounts(kiosk.stdout)).toEqual(['shared-clerk']);
    });

    test('a name is made from an attribute with prefix, suffix, case and limit, and people without it are reported', async () => {
      const rule = ['--from', 'mail', '--strip-domain', '--case', 'upper', '--limit', '8'];
      const { code, stdout } = await generate('reports', ...rule, '--prefix', 'X-', '--dry-run');
      expect([code, accounts(stdout)]).toEqual([3, ['X-CAROL.']]);
      expect(JSON.parse(stdout).skipped).toEqual(['alice', 'bob']);
    });

    test('people for whom a rule makes one name conflict, and none of them gets it', async () => {
      const { stdout } = await generate(
        'reports',
        '--prefix',
        'u',
        '--limit',
        '1',
        '--link',
        '--dry-run',
      );
      expect(accounts(stdout)).toEqual([]);
      const cut = await generate('reports', '--prefix', 'all', '--from', 'name', '--limit', '3');
      expect(JSON.parse(cut.stdout).skipped).toEqual(['alice', 'bob', 'carol']);
      const none = await run('generate', 'reports', '--from', 'unknown', '--dry-run');
      expect([none.code, none.stdout]).toEqual([3, 'No mapping would be created.\n']);
      await addPerson(api.database.db, 'clerk-ada', ['directory']);
      await addPerson(api.database.db, 'clerk-bea', ['directory']);
      const same = await generate('host', '--limit', '6', '--link', '--dry-run');
      const clerks = (JSON.parse(same.stdout) as { rows: { identity: string; reason: string }[] })
        .rows;
      expect(
        clerks.filter(({ identity }) => /^clerk-[ab]/.test(identity)).map(({ reason }) => reason),
      ).toEqual(['account_twice_in_list', 'account_twice_in_list']);
    });
  });
});

describe('a CSV file', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-csv-'));
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  test.each<[string, string | Buffer, string]>([
    [
      'a column of passwords',
      'identity,application,Password\nalice,reports,Tulip-7\n',
      'looks like a password',
    ],
    [
      'a column of passwords in another language',
      'identity;application;Kennwort\na;b;Tulip-7\n',
      'looks like a password',
    ],
    ['no column of people', 'application,account\nreports,Tulip-7\n', 'has no column "identity"'],
    ['no application', 'identity\nTulip-7\n', '--application'],
    [
      'a column that comes twice',
      'identity,identity,application\na,Tulip-7,c\n',
      '"identity" twice',
    ],
    ['a row that is too long', 'identity,application\nalice,reports,Tulip-7\n', 'Line 2'],
    ['an open quotation mark', 'identity,application\n"Tulip-7,reports\n', 'not valid CSV'],
    [
      'another encoding',
      Buffer.from('identity,application\nM\xfcller,Tulip-7\n', 'latin1'),
      'not UTF-8',
    ],
    ['no text', '', 'is empty'],
  ])('with %s is refused without a word of its rows', (_what, content, says) => {
    const full = path.join(dir, 'bad.csv');
    writeFileSync(full, content);
    const refused = refusalOf(() => readMappingRows(full, undefined));
    expect(refused).toContain(says);
    expect(refused).not.toContain('Tulip-7');
  });
});
