import type { Temporal } from '../../local/temporal';
import { loneGroupName } from '../../model/configuration/document';
import type { ChangeView } from '../../store/changes/read';
import {
  type Company,
  type CompanyAccount,
  type SystemName,
  startCompany,
} from '../support/company';
import { startEngine } from '../support/engine';
import { recordHistories } from '../support/histories';
import { brokenInvariants } from '../support/invariants';
import { type Lockstep, startLockstep } from '../support/lockstep';
import { addSomebody, holders, newPassword } from '../support/people';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';

/** Enterprise SSO's order: the directory takes the new password only if every other account did. */
describeWith(['slapd', 'postgres', 'temporal'], 'a group that is directory-last', () => {
  let engine: Temporal;
  let company: Company;
  let lockstep: Lockstep;

  beforeAll(async () => {
    company = await startCompany();
    engine = await startEngine();
    lockstep = await startLockstep(engine);
    const sources = company.sources();
    await lockstep.configure({
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
    });
    lockstep.startWorker();
  });
  afterEach(async () => {
    for (const proxy of Object.values(company.proxies)) await proxy.pass();
    expect(await brokenInvariants(lockstep.database.db)).toEqual({});
  });
  afterAll(async () => {
    await recordHistories(engine, lockstep.accepted);
    await lockstep.stop();
    await engine.stop();
    await company.stop();
  });

  const somebody = (...systems: SystemName[]) => addSomebody(lockstep, company, ...systems);
  const outcomes = ({ accounts }: ChangeView) =>
    accounts.map(({ label, role, state, reason }) => [label, role, state, reason]);
  /** Puts the account under a policy that none of our passwords satisfies. */
  async function restrict(account: CompanyAccount | undefined): Promise<void> {
    const { apps } = company.directories;
    const strict = await apps.addPolicy({ pwdCheckQuality: '2', pwdMinLength: '80' });
    const entry = { ref: { name: account?.name ?? '', nativeId: null }, password: '', key: '' };
    await apps.replace(entry, 'pwdPolicySubentry', strict);
  }
  async function takeAway(system: 'directory' | 'apps'): Promise<void> {
    await company.proxies[system].refuse();
    company.proxies[system].cut();
  }

  test(
    keeps('every other account takes the new password: the directory is changed, last', 4),
    async () => {
      const { person, accounts } = await somebody('directory', 'apps', 'warehouse');
      const next = newPassword();
      const change = await lockstep.readEnd(await lockstep.accept({ person, password: next }));
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
    keeps('one account refuses: the directory keeps the old password, and says why', 4),
    async () => {
      const { person, accounts } = await somebody('directory', 'apps', 'warehouse');
      const [old, next] = [newPassword(), newPassword()];
      await lockstep.readEnd(await lockstep.accept({ person, password: old }));
      await restrict(accounts[1]);
      const change = await lockstep.readEnd(await lockstep.accept({ person, password: next }));
      expect(change.state).toBe('partial');
      expect(outcomes(change)).toEqual([
        ['apps', 'member', 'rejected', 'policy_too_short'],
        ['warehouse', 'member', 'applied', null],
        ['directory', 'auth', 'not_attempted', 'others_unchanged'],
      ]);
      expect(await holders(accounts, old)).toEqual([true, true, false]);
    },
  );

  test('an account is away: the directory waits for it', async () => {
    const { person, accounts } = await somebody('directory', 'apps', 'warehouse');
    await takeAway('apps');
    const next = newPassword();
    const id = await lockstep.accept({ person, password: next });
    await lockstep.readUntil(
      id,
      ({ accounts: [apps, warehouse] }) =>
        apps?.state === 'waiting' && warehouse?.state === 'applied',
    );
    expect((await lockstep.read(id)).accounts.at(-1)).toMatchObject({ state: 'waiting' });
    expect(await holders(accounts, next)).toEqual([false, false, true]);
    await company.proxies.apps.pass();
    expect((await lockstep.readEnd(id)).state).toBe('done');
    expect(await holders(accounts, next)).toEqual([true, true, true]);
  });

  test(keeps('the current password is wrong: no other account is tried', 15), async () => {
    const { person } = await somebody('directory', 'apps');
    const wanted = { person, password: newPassword(), current: 'not the current one' };
    const change = await lockstep.readEnd(await lockstep.accept(wanted));
    expect(change).toMatchObject({ state: 'refused', reason: 'wrong_current_password' });
    expect(outcomes(change)).toEqual([
      ['apps', 'member', 'not_attempted', 'auth_unchanged'],
      ['directory', 'auth', 'rejected', 'wrong_current_password'],
    ]);
  });

  test('the current password cannot be validated yet: nobody is tried before it is', async () => {
    const { person, accounts } = await somebody('directory', 'apps');
    const [old, next] = [newPassword(), newPassword()];
    await lockstep.readEnd(await lockstep.accept({ person, password: old }));
    await takeAway('directory');
    const id = await lockstep.accept({ person, password: next, current: old });
    await lockstep.readUntil(id, (change) => change.accounts.at(-1)?.reason === 'unreachable');
    expect((await lockstep.read(id)).accounts[0]).toMatchObject({ attempts: 0 });
    await company.proxies.directory.pass();
    expect((await lockstep.readEnd(id)).state).toBe('done');
    expect(await holders(accounts, next)).toEqual([true, true]);
  });

  test(keeps('a source with a policy of its own is changed on its own', 9), async () => {
    const { person, accounts } = await somebody('directory', 'crm');
    const next = newPassword();
    const groups = [loneGroupName('crm')];
    const change = await lockstep.readEnd(
      await lockstep.accept({ person, password: next, groups }),
    );
    expect(outcomes(change)).toEqual([['crm', 'auth', 'applied', null]]);
    expect(await holders(accounts, next)).toEqual([false, true]);
  });
});
