import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildBlocklist } from '../../blocklist/build';
import { accountRulesOf } from '../../connectors/registry';
import { configurationSchema } from '../../model/configuration/document';
import { asksNothing } from '../../model/policy/target-policy';
import { applyConfiguration } from '../../store/configuration/versions';
import { finishJob, requestJob } from '../../store/sources/jobs';
import { startTestApi, type TestApi } from '../support/api';
import { addPerson, testConfiguration } from '../support/played-worker';
import { countInMemory } from '../support/process-memory';
import { describeWith } from '../support/servers';
import { until } from '../support/until';

const linux = process.platform === 'linux' ? test : test.skip;

describeWith(['postgres'], 'the policy of a group', () => {
  let api: TestApi;
  let version = 0;
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-policy-'));
  const file = (name: string) => path.join(dir, name);
  const documentWith = (policy: object) => ({
    ...testConfiguration,
    policies: { staff: policy, finance: {} },
  });
  const putInForce = async (policy: object) => {
    const configuration = configurationSchema.parse(documentWith(policy));
    version =
      (await applyConfiguration(api.database.db, configuration, version, 'test', accountRulesOf)) ??
      0;
  };
  const planOf = (policy: object) => {
    const { sources: _, groups: __, applications: ___, ...rest } = documentWith(policy);
    return api.send('POST', '/v1/configuration/plan', { body: { document: rest } });
  };
  const start = async (password: string) => {
    const { body } = await api.send('POST', '/v1/changes', {
      body: { identity: 'alice', password },
    });
    const violations = body.violations as { rule: string }[] | undefined;
    return violations?.map(({ rule }) => rule) ?? body.code ?? body.state;
  };

  beforeAll(async () => {
    api = await startTestApi({ env: { LOCKSTEP_POLICY_DIR: dir } });
    await addPerson(api.database.db, 'alice');
    writeFileSync(file('words'), 'leaked and known to all\n');
    await buildBlocklist({
      from: file('words'),
      to: file('blocklist'),
      minCount: 1,
      onProgress: () => {},
    });
    writeFileSync(file('dictionary'), '# of the company\nCalevate\n');
  });
  afterAll(async () => {
    await api.stop();
    rmSync(dir, { recursive: true });
  });

  test('the blocklist rejects only whole passwords, ignoring case', async () => {
    await putInForce({ blocklist: file('blocklist') });
    expect(await start('Leaked AND known to all')).toEqual(['blocklist']);
    expect(await start('leaked and known to all but not this')).toBe('accepted');
  });

  test.each(['a file', 'a list'])(
    'a dictionary that is %s rejects passwords that contain one of its words',
    async (how) => {
      await putInForce({ dictionary: how === 'a file' ? file('dictionary') : ['Calevate'] });
      expect(await start('I work at calevate here')).toEqual(['dictionary']);
      expect(await start('I work at cale-vate here')).toBe('accepted');
    },
  );

  test('an edited dictionary applies from the next password on', async () => {
    await putInForce({ dictionary: file('dictionary') });
    expect(await start('a winter in the north')).toBe('accepted');
    writeFileSync(file('dictionary'), 'calevate\nwinter\n');
    expect(await start('a winter in the north')).toEqual(['dictionary']);
  });

  test('a missing policy file makes the API reject passwords with policy_file_unreadable', async () => {
    await putInForce({ blocklist: file('gone') });
    expect(await start('a long way to nowhere')).toBe('policy_file_unreadable');
    await putInForce({ dictionary: file('gone') });
    expect(await start('a long way to nowhere')).toBe('policy_file_unreadable');
  });

  test('a password that is easy to guess is rejected, whatever its length', async () => {
    await putInForce({ minStrength: 3 });
    await until(async () => {
      const result = await start('baseballbaseball9');
      return JSON.stringify(result) === '["minStrength"]';
    });
    expect(await start('nine purple whales under ice')).toBe('accepted');
  });

  linux('estimating the strength leaves no copy of the password in memory', async () => {
    await putInForce({ minStrength: 1 });
    const password = `canary of strength ${process.pid}`;
    for (let count = 0; count < 30; count++) await start(password);
    // One copy remains in the receive buffer of the socket until the next request arrives.
    await until(() => countInMemory(api.pid(), Buffer.from(password)) <= 1);
  });

  const linkTo = (target: string) => symlinkSync(target, file('new'));
  const makePipe = () => execFileSync('mkfifo', [file('new')]);
  const makeLarge = () => {
    writeFileSync(file('new'), '');
    truncateSync(file('new'), 2 ** 40);
  };

  test.each<[string, string, () => void, string]>([
    ['a blocklist that is missing', 'blocklist', () => {}, 'does not exist'],
    [
      'an invalid blocklist',
      'blocklist',
      () => writeFileSync(file('new'), 'leaked\n'),
      'build it again with "lockstep blocklist build"',
    ],
    [
      'a dictionary that is too long',
      'dictionary',
      () => writeFileSync(file('new'), 'word\n'.repeat(2_501)),
      'line 2501 is beyond the 2500 lines allowed',
    ],
    ['a blocklist that is a device', 'blocklist', () => linkTo('/dev/zero'), 'by a symbolic link'],
    [
      'a dictionary that is a device',
      'dictionary',
      () => linkTo('/dev/zero'),
      'by a symbolic link',
    ],
    ['a dictionary of the kernel', 'dictionary', () => linkTo('/proc/kmsg'), 'by a symbolic link'],
    ['a blocklist that is a pipe', 'blocklist', makePipe, 'is not a complete blocklist'],
    ['a dictionary that is a pipe', 'dictionary', makePipe, 'is not a regular file'],
    ['a dictionary that is a folder', 'dictionary', () => mkdirSync(file('new')), 'regular file'],
    ['a dictionary that is too large', 'dictionary', makeLarge, 'is larger than'],
  ])('%s is reported when the configuration is planned', async (_what, field, make, says) => {
    rmSync(file('new'), { force: true, recursive: true });
    make();
    const { status, body } = await planOf({ [field]: file('new') });
    expect([status, body.code]).toEqual([422, 'configuration_invalid']);
    expect(body.issues).toEqual([
      { path: ['policies', 'staff', field], says: expect.stringContaining(says) },
    ]);
  });

  test.each([
    ...['/dev/zero', '/proc/self/environ', '/etc/passwd', '/etc/no-such-file', '/'],
    ...[`${dir}/../dictionary`, `${dir}/x/../../dictionary`, dir, `${dir}-of-another/words`],
  ])('a file outside the folder of the policies is not opened: %j', async (named) => {
    for (const field of ['dictionary', 'blocklist']) {
      const { status, body } = await planOf({ [field]: named });
      expect([status, body.issues]).toEqual([
        422,
        [
          {
            path: ['policies', 'staff', field],
            says: `${JSON.stringify(named)} is not in ${dir}. Put the file there, or set LOCKSTEP_POLICY_DIR to its folder.`,
          },
        ],
      ]);
    }
  });

  const checked = async (source: string, policies: readonly object[]) => {
    const job = { kind: 'check', source, parameters: {}, requestedBy: 'test' } as const;
    const id = await requestJob(api.database.db, job);
    await finishJob(api.database.db, id, 'done', { findings: [], policies });
  };

  test('the plan compares the policy with the rules that the sources reported in their last check', async () => {
    const reported = { ...asksNothing, name: 'cn=policy' };
    await checked('directory', [{ ...reported, minLength: 90 }]);
    await checked('directory', [{ ...reported, minLength: 20 }]);
    await checked('crm', [{ ...reported, maxLength: 18 }]);
    const settings = {
      url: 'ldaps://directory.example.com',
      bindDn: 'cn=lockstep',
      bindPassword: '${env:NOTHING}',
      base: 'dc=example',
    };
    const source = { kind: 'ldap', settings };
    const document = {
      version: 1,
      sources: {
        directory: source,
        crm: source,
        warehouse: { ...source, passwordFilter: { maxLength: 20 } },
      },
      policies: { staff: { maxLength: 64 } },
      groups: {
        'one-password': {
          policy: 'staff',
          authSource: 'directory',
          sources: ['directory', 'crm', 'warehouse'],
        },
      },
    };
    const plan = async () =>
      (await api.send('POST', '/v1/configuration/plan', { body: { document } })).body.fit;
    const pair = 'No password satisfies both cn=policy of "directory" and cn=policy of "crm".';
    expect(await plan()).toMatchObject([
      { group: 'one-password', impossible: [pair], fits: null, unread: ['warehouse'] },
    ]);
    await checked('crm', []);
    expect(await plan()).toMatchObject([
      { impossible: [], fits: '20 to 64 characters of printable ASCII', warnings: [] },
    ]);
    const passwordFilter = { allowed: '0-9', minLength: 4, maxLength: 8 };
    Object.assign(document, { applications: { reports: { source: 'crm', passwordFilter } } });
    expect(await plan()).toMatchObject([
      { warnings: [expect.stringMatching(/^crm \(reports\): The filter weakens passwords/)] },
    ]);
  });
});
