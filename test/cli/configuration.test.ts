import { mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startTestApi, type TestApi } from '../support/api';
import { addPerson } from '../support/played-worker';
import { describeWith } from '../support/servers';
import {
  connectionTo,
  type Ended,
  hasScript,
  lockstepAt,
  lockstepAtTerminal,
  shown,
} from './run-cli';

const source = (name: string) => `  ${name}:
    kind: postgres-role
    settings:
      host: ${name}.example.com
      user: lockstep
      password: \${file:/run/secrets/${name}}
      database: postgres
`;
const rest = `policies:
  staff:
    minLength: 12
groups:
  one-password:
    policy: staff
    authSource: apps
    sources: [apps, crm]
`;
const GOOD = `version: 1
sources:
${source('apps')}${source('crm')}${rest}`;

/** The line and column of this text, both counted from 1. */
function placeOf(document: string, text: string): string {
  const lines = document.split('\n');
  const line = lines.findIndex((content) => content.includes(text));
  if (line === -1) throw new Error(`no line contains ${text}`);
  return `${line + 1}:${(lines[line] ?? '').indexOf(text) + 1}`;
}

describeWith(['postgres'], 'lockstep plan and lockstep apply', () => {
  let api: TestApi;
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-cli-'));
  const command = lockstepAt(() => api);

  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.stop());

  const run = (document: string, ...args: string[]): Promise<Ended> => {
    writeFileSync(path.join(dir, 'lockstep.yaml'), document);
    return command(args, { cwd: dir });
  };
  const appliedVersion = async () => (await api.send('GET', '/v1/configuration')).body.version;

  test.each([
    [
      'an unknown connector',
      'kind: postgres-role',
      'kind: oracle',
      'kind: oracle',
      'sources.apps.kind: there is no connector "oracle"',
    ],
    [
      'a setting of the wrong type',
      'database: postgres',
      'database: 7',
      'database: 7',
      'sources.apps.settings.database: ',
    ],
    [
      'a secret in plain text',
      '${file:/run/secrets/apps}',
      'hunter2',
      'password: hunter2',
      'sources.apps.settings.password: holds a secret',
    ],
    [
      'a missing setting',
      '      user: lockstep\n',
      '',
      'settings:',
      'sources.apps.settings.user: ',
    ],
    ['a bad name', '  apps:\n', '  Apps:\n', 'Apps:', 'sources.Apps: use lower-case letters'],
    [
      'a number out of range',
      'minLength: 12',
      'minLength: -1',
      'minLength: -1',
      'policies.staff.minLength: ',
    ],
    [
      'an unknown policy',
      'policy: staff',
      'policy: stuff',
      'policy: stuff',
      'groups.one-password.policy: there is no policy "stuff"',
    ],
    [
      'a hash that a source of the group does not accept',
      'kind: postgres-role\n    settings:',
      'kind: postgres-role\n    capture: { enabled: true, forms: [ssha512], verifyCurrent: false }\n    settings:',
      'forms: [ssha512]',
      'sources.apps.capture.forms: names ssha512, which cannot be carried from "apps" to "crm": it accepts scram-sha-256',
    ],
    [
      'an unknown source in a list',
      '[apps, crm]',
      '[apps, cmr]',
      'cmr]',
      'groups.one-password.sources.1: there is no source "cmr"',
    ],
    [
      'a group with one source',
      '[apps, crm]',
      '[apps]',
      'sources: [apps]',
      'groups.one-password.sources: has fewer than two',
    ],
  ])('lockstep plan reports %s with its line and column', async (_what, right, wrong, at, says) => {
    const document = GOOD.replace(right, () => wrong);
    const { code, stdout, stderr } = await run(document, 'plan');
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`\n  lockstep.yaml:${placeOf(document, at)}  ${says}`);
    expect(stderr).not.toContain('hunter2');
  });

  test.each([
    [
      'a repeated key',
      '    authSource: apps\n',
      '    authSource: apps\n    policy: other\n',
      'policy: other',
      'Map keys must be unique',
    ],
    ['a tab', '  staff:', '\tstaff:', '\tstaff', 'Tabs are not allowed'],
    ['an unclosed list', '[apps, crm]\n', '[apps, crm\nlast: 1\n', 'last: 1', 'Flow sequence'],
    [
      'an alias without an anchor',
      'policy: staff',
      'policy: *staff',
      '*staff',
      'there is no anchor &staff before this alias',
    ],
    ['a tag', 'minLength: 12', 'minLength: !secret 12', '!secret', 'Unresolved tag'],
  ])(
    'lockstep plan reports a YAML error with its line and column: %s',
    async (_what, right, wrong, at, says) => {
      const document = GOOD.replace(right, wrong);
      const { code, stderr } = await run(document, 'plan');
      expect(code).toBe(2);
      expect(stderr).toContain(`\n  lockstep.yaml:${placeOf(document, at)}  ${says}`);
    },
  );

  test('lockstep plan -o json lists every error of the file in the order of its lines', async () => {
    const document = GOOD.replace('postgres-role', 'oracle').replace('[apps, crm]', '[apps, cmr]');
    const { stdout } = await run(document, 'plan', '-o', 'json');
    const answer = JSON.parse(stdout);
    expect(answer.valid).toBe(false);
    expect(
      answer.issues.map((issue: { file: string; line: number; path: string[] }) => [
        issue.file,
        issue.line,
        issue.path.join('.'),
      ]),
    ).toEqual([
      ['lockstep.yaml', 4, 'sources.apps.kind'],
      ['lockstep.yaml', 24, 'groups.one-password.sources.1'],
    ]);
  });

  test('lockstep plan says how to name another file if the file is missing', async () => {
    const { code, stderr } = await command(['plan', '-f', 'nowhere.yaml'], { cwd: dir });
    expect([code, stderr]).toEqual([
      2,
      'nowhere.yaml cannot be read (ENOENT). Name the configuration with -f.\n',
    ]);
  });

  test('lockstep plan shows where captured hashes are stored, and that no policy can check them', async () => {
    const forms = 'capture: { enabled: true, forms: [scram-sha-256], verifyCurrent: false }';
    const document = GOOD.replace('settings:', `${forms}\n    settings:`).replace(
      'authSource: apps',
      'authSource: crm',
    );
    const { code, stdout } = await run(document, 'plan');
    expect(code).toBe(0);
    expect(stdout).toContain(
      'Hashes captured in apps as scram-sha-256: stored unchanged in crm; no policy can check them\n',
    );
  });

  test('a configuration goes from plan to apply to no differences, and a deletion lists what it leaves unused', async () => {
    const planned = await run(GOOD, 'plan');
    expect([planned.code, planned.stdout.split('\n').slice(0, 4)]).toEqual([
      0,
      ['+ sources.apps', '+ sources.crm', '+ policies.staff', '+ groups.one-password'],
    ]);
    expect(planned.stdout).toContain(
      [
        'Group one-password, policy staff: 12 to 256 characters of printable ASCII',
        '  not known yet  the password rules of apps, crm: run "lockstep doctor" to read them',
        'Next: lockstep apply -f lockstep.yaml',
      ].join('\n'),
    );
    expect(await appliedVersion()).toBe(0);

    const refused = await run(GOOD, 'apply');
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringContaining('run the command again with --yes'),
    ]);
    expect(await appliedVersion()).toBe(0);

    const applied = await run(GOOD, 'apply', '--yes');
    expect([applied.code, applied.stdout]).toEqual([
      0,
      expect.stringContaining('Configuration 1 is applied.'),
    ]);
    const again = await run(GOOD, 'apply');
    expect([again.code, again.stdout]).toEqual([
      0,
      'Nothing to do: the file is identical to configuration 1, which is applied.\n',
    ]);

    await addPerson(api.database.db, 'alice', ['crm']);
    const less = GOOD.replace(source('crm'), source('erp'))
      .replace('[apps, crm]', '[erp, apps]')
      .replace('minLength: 12', 'minLength: 13');
    const { stdout } = await run(less, 'plan');
    expect(stdout).toContain(
      '- sources.crm  1 link and 0 mappings kept, unused, and used again if a source of this name is added\n',
    );
    expect(stdout).toContain('+ sources.erp\n');
    expect(stdout).toContain('~ policies.staff  minLength\n');
    expect(stdout).toContain('~ groups.one-password  sources\n');
    expect(stdout).toContain(
      'Compared with configuration 1: 1 to create, 2 to update, 1 to delete.',
    );

    await run(less, 'apply', '--yes');
    const back = await run(GOOD, 'plan');
    expect(back.stdout).toMatch(/1 account is still linked to a former source named "crm"/);
  });

  (hasScript ? test : test.skip)(
    'lockstep apply asks for confirmation at a terminal, and applies nothing unless the answer is yes',
    async () => {
      const document = GOOD.replace('minLength: 12', 'minLength: 14');
      writeFileSync(path.join(dir, 'lockstep.yaml'), document);
      const before = await appliedVersion();
      const answering = (answer: string) =>
        lockstepAtTerminal(['apply'], {
          cwd: dir,
          env: connectionTo(api),
          during: async (running) => {
            await shown(running, 'Apply? [y/N] ');
            running.type(answer);
          },
        });
      for (const no of ['\r', 'n\r', '\x03', '\x04']) expect((await answering(no)).code).toBe(1);
      expect(await appliedVersion()).toBe(before);
      expect((await answering('y\r')).code).toBe(0);
      expect(await appliedVersion()).toBe(Number(before) + 1);
    },
  );

  test('lockstep configuration lists, shows and compares versions, and rolls back to one as a new version', async () => {
    const before = Number(await appliedVersion());
    await run(GOOD, 'apply', '--yes');
    await run(GOOD.replace('minLength: 12', 'minLength: 15'), 'apply', '--yes');
    const changed = Number(await appliedVersion());
    expect(changed).toBeGreaterThan(before);
    const listed = await command(['configuration', 'versions', '--limit', '1']);
    expect(listed.stdout).toMatch(new RegExp(`^VERSION +APPLIED +BY\n${changed} .*"first admin"`));
    const diff = await command(['configuration', 'diff', String(changed)]);
    expect(diff.stdout).toBe('~ policies.staff\n    - minLength: 12\n    + minLength: 15\n');
    const back = String(changed - 1);
    const asked = await command(['configuration', 'rollback', back]);
    expect([asked.code, asked.stdout]).toEqual([2, expect.stringContaining('~ policies.staff')]);
    expect(await appliedVersion()).toBe(changed);
    const rolled = await command(['configuration', 'rollback', back, '--yes']);
    expect([rolled.code, rolled.stdout]).toEqual([
      0,
      expect.stringContaining(`Configuration ${changed + 1} is applied.`),
    ]);
    const equal = await command(['configuration', 'diff', back, String(changed + 1)]);
    expect(equal.stdout).toBe(`Configurations ${back} and ${changed + 1} are equal.\n`);
    const audit = await command(['audit', '--limit', '1', '--action', 'configuration']);
    expect(audit.stdout).toContain(`which is equal to configuration ${back}.`);
    const printed = await command(['configuration', 'show', back]);
    expect((await run(printed.stdout, 'plan')).stdout).toMatch(/^Nothing to do/);
    const inForce = await command(['configuration', 'show']);
    expect((await run(inForce.stdout, 'plan')).stdout).toMatch(/^Nothing to do/);
    const missing = await command(['configuration', 'show', '999']);
    expect([missing.code, missing.stderr]).toEqual([
      1,
      expect.stringContaining('There is no configuration 999.'),
    ]);
  });
});
