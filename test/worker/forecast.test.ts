import type { ChangePlan } from '../../cli/http/answers';
import type { Output } from '../../cli/output';
import { dryRunLines } from '../../cli/text/dry-run-text';
import { pauseSource } from '../../store/sources/state';
import type { TestApi } from '../support/api';
import { newPassword } from '../support/people';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { entryOf, workerSuite } from '../support/worker-suite';

/** The limits that a check of a source has found are used in refusals and in dry runs. */
describeWith(['slapd', 'postgres', 'temporal'], 'what the last check of a source has found', () => {
  const suite = workerSuite();
  let api: TestApi;
  let admin: string;
  let desk: string;
  beforeAll(async () => {
    api = await suite.startApi();
    admin = await api.newKey(['admin', 'read', 'trigger']);
    desk = await api.newKey(['trigger']);
  });

  const output = { width: 200, paint: (_style: string, text: string) => text } as unknown as Output;
  const dryRun = async (person: string, password?: string, key = admin) => {
    const body = { identity: person, ...(password === undefined ? {} : { password }) };
    return (await api.send('POST', '/v1/changes/plan', { key, body }))
      .body as unknown as ChangePlan;
  };
  const warningsOf = ({ accounts }: ChangePlan, source: string) =>
    accounts.filter((one) => one.source === source).flatMap(({ warnings }) => warnings);
  async function check(source: string): Promise<void> {
    const { body } = await api.send('POST', `/v1/sources/${source}/check`, { key: admin });
    await until(async () => {
      const job = await api.send('GET', `/v1/jobs/${body.job}`, { key: admin });
      return job.body.state === 'done';
    });
  }

  test('a refusal names the limit of the source with its number, and a dry run warns about it before', async () => {
    const { person } = await suite.addPerson('directory', 'apps');
    await check('directory');
    const short = 'seven77';
    const plan = await dryRun(person, short);
    expect(warningsOf(plan, 'directory').join('\n')).toMatch(
      /of "directory" requires 8 bytes or more.*and the password does not satisfy that/,
    );
    expect(dryRunLines(output, plan).join('\n')).toMatch(/Warnings:\n {2}.* requires 8 bytes/);
    expect(JSON.stringify(plan)).not.toContain(short);

    const id = await suite.lockstep.accept({ person, password: short });
    await suite.lockstep.readEnd(id);
    const { body } = await api.send('GET', `/v1/changes/${id}`, { key: admin });
    expect(body).toMatchObject({
      state: 'refused',
      accounts: [
        {
          reason: 'policy_too_short',
          reasonSays: expect.stringMatching(/too short.* of "directory" requires 8 bytes/),
        },
        { outcome: 'not_attempted' },
      ],
    });
    expect(warningsOf(await dryRun(person, newPassword()), 'directory').join()).not.toMatch(
      /8 bytes/,
    );
  });

  test('a refusal of a source that was never checked promises no number', async () => {
    const { person, accounts } = await suite.addPerson('directory', 'apps');
    await suite.rejectPasswords(accounts[1]);
    const id = await suite.lockstep.accept({ person, password: newPassword() });
    await suite.lockstep.readEnd(id);
    const { body } = await api.send('GET', `/v1/changes/${id}`, { key: admin });
    expect(body).toMatchObject({
      accounts: [{}, { reason: 'policy_too_short', reasonSays: expect.not.stringMatching(/\d/) }],
    });
  });

  test('a dry run warns about a source that is paused, and an account that is locked or waits', async () => {
    const { person, accounts } = await suite.addPerson('directory', 'apps', 'crm');
    await suite.company.directories.directory.replace(
      entryOf(accounts[0]),
      'pwdAccountLockedTime',
      '000001010000Z',
    );
    await suite.lockstep.readEnd(await suite.lockstep.accept({ person, password: newPassword() }));
    await pauseSource(suite.lockstep.database.db, 'crm', 'source_paused', 'test');
    const plan = await dryRun(person);
    expect(warningsOf(plan, 'directory')).toContainEqual(
      expect.stringMatching(/took the password. The account is disabled/),
    );
    expect(warningsOf(plan, 'crm')).toEqual([
      expect.stringMatching(/^"crm" is paused. An operator has paused this source/),
    ]);
    expect(warningsOf(plan, 'apps')).toEqual([]);
  });

  test('a dry run shows the findings of the last check only to a key that may read them', async () => {
    const { person } = await suite.addPerson('directory', 'apps');
    await suite.takeAway('apps');
    await check('apps');
    const [full, brief] = [await dryRun(person), await dryRun(person, undefined, desk)];
    expect(warningsOf(full, 'apps').join()).toMatch(/The last check of "apps" found: /);
    expect(warningsOf(brief, 'apps').join()).toMatch(
      /The last check of "apps" found a problem \(\S+\)\. An operator sees it with "lockstep doctor apps"/,
    );
  });
});
