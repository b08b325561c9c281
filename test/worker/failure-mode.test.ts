import { loneGroupName } from '../../model/configuration/document';
import type { ChangeView } from '../../store/changes/read';
import { holders, newPassword } from '../support/people';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';
import { workerSuite } from '../support/worker-suite';

/** The order of Enterprise SSO: the directory gets the new password only if every other account has it. */
describeWith(['slapd', 'postgres', 'temporal'], 'a directory-last group', () => {
  const suite = workerSuite(
    (company) => {
      const sources = company.sources();
      return {
        version: 1,
        sources: { ...sources, crm: { ...sources.crm, policy: 'everyone' } },
        policies: { everyone: {} },
        groups: {
          all: {
            policy: 'everyone',
            authSource: 'directory',
            sources: ['directory', 'apps', 'warehouse'],
            failureMode: 'directory-last',
          },
        },
      };
    },
    { recordsHistories: true },
  );

  const outcomes = ({ accounts }: ChangeView) =>
    accounts.map(({ label, role, state, reason }) => [label, role, state, reason]);

  test(
    keeps('the directory is changed last, once every other account has the new password', 4),
    async () => {
      const { person, accounts } = await suite.addPerson('directory', 'apps', 'warehouse');
      const next = newPassword();
      const change = await suite.lockstep.readEnd(
        await suite.lockstep.accept({ person, password: next }),
      );
      expect(change.state).toBe('done');
      expect(outcomes(change)).toEqual([
        ['apps', 'member', 'applied', null],
        ['warehouse', 'member', 'applied', null],
        ['directory', 'auth', 'applied', null],
      ]);
      const times = change.accounts.map(({ updatedAt }) => updatedAt.getTime());
      expect(Math.max(...times)).toBe(times.at(-1));
      expect(await holders(accounts, next)).toEqual([true, true, true]);
    },
  );

  test(
    keeps(
      'the directory keeps the old password and gives the reason when another account rejects the new one',
      4,
    ),
    async () => {
      const { person, accounts } = await suite.addPerson('directory', 'apps', 'warehouse');
      const [old, next] = [newPassword(), newPassword()];
      await suite.lockstep.readEnd(await suite.lockstep.accept({ person, password: old }));
      await suite.rejectPasswords(accounts[1]);
      const change = await suite.lockstep.readEnd(
        await suite.lockstep.accept({ person, password: next }),
      );
      expect(change.state).toBe('partial');
      expect(outcomes(change)).toEqual([
        ['apps', 'member', 'rejected', 'policy_too_short'],
        ['warehouse', 'member', 'applied', null],
        ['directory', 'auth', 'not_attempted', 'others_unchanged'],
      ]);
      expect(await holders(accounts, old)).toEqual([true, true, false]);
    },
  );

  test('the directory waits while another account is unreachable', async () => {
    const { person, accounts } = await suite.addPerson('directory', 'apps', 'warehouse');
    await suite.takeAway('apps');
    const next = newPassword();
    const id = await suite.lockstep.accept({ person, password: next });
    await suite.lockstep.readUntil(
      id,
      ({ accounts: [apps, warehouse] }) =>
        apps?.state === 'waiting' && warehouse?.state === 'applied',
    );
    expect((await suite.lockstep.read(id)).accounts.at(-1)).toMatchObject({ state: 'waiting' });
    expect(await holders(accounts, next)).toEqual([false, false, true]);
    await suite.company.proxies.apps.pass();
    expect((await suite.lockstep.readEnd(id)).state).toBe('done');
    expect(await holders(accounts, next)).toEqual([true, true, true]);
  });

  test(keeps('no other account is tried when the current password is wrong', 15), async () => {
    const { person } = await suite.addPerson('directory', 'apps');
    const wanted = { person, password: newPassword(), current: 'not the current one' };
    const change = await suite.lockstep.readEnd(await suite.lockstep.accept(wanted));
    expect(change).toMatchObject({ state: 'refused', reason: 'wrong_current_password' });
    expect(outcomes(change)).toEqual([
      ['apps', 'member', 'not_attempted', 'auth_unchanged'],
      ['directory', 'auth', 'rejected', 'wrong_current_password'],
    ]);
  });

  test('no account is tried before the current password has been verified', async () => {
    const { person, accounts } = await suite.addPerson('directory', 'apps');
    const [old, next] = [newPassword(), newPassword()];
    await suite.lockstep.readEnd(await suite.lockstep.accept({ person, password: old }));
    await suite.takeAway('directory');
    const id = await suite.lockstep.accept({ person, password: next, current: old });
    await suite.lockstep.readUntil(
      id,
      (change) => change.accounts.at(-1)?.reason === 'unreachable',
    );
    expect((await suite.lockstep.read(id)).accounts[0]).toMatchObject({ attempts: 0 });
    await suite.company.proxies.directory.pass();
    expect((await suite.lockstep.readEnd(id)).state).toBe('done');
    expect(await holders(accounts, next)).toEqual([true, true]);
  });

  test(keeps('a source with a policy of its own is changed on its own', 9), async () => {
    const { person, accounts } = await suite.addPerson('directory', 'crm');
    const next = newPassword();
    const groups = [loneGroupName('crm')];
    const change = await suite.lockstep.readEnd(
      await suite.lockstep.accept({ person, password: next, groups }),
    );
    expect(outcomes(change)).toEqual([['crm', 'auth', 'applied', null]]);
    expect(await holders(accounts, next)).toEqual([false, true]);
  });
});
