import { findIdentity } from '../../store/people/identities';
import { describeWorkflow } from '../support/engine-client';
import { holders, newPassword } from '../support/people';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';
import { companyDocument, entryOf, statesOf, workerSuite } from '../support/worker-suite';

/** Which accounts a change writes: several in one source, accounts found by correlation, and sources that are gone. */
describeWith(['slapd', 'postgres', 'temporal'], 'choosing accounts', () => {
  const suite = workerSuite(undefined, { recordsHistories: true });

  afterEach(() => suite.lockstep.configure(companyDocument(suite.company)));

  test(
    keeps(
      'all accounts of a source are changed with multipleAccountPasswordSync, and only the first without it',
      5,
    ),
    async () => {
      const { person, accounts } = await suite.addPerson('directory', 'apps', 'apps');
      const [first, second] = [newPassword(), newPassword()];
      const without = await suite.lockstep.readEnd(
        await suite.lockstep.accept({ person, password: first }),
      );
      expect(statesOf(without)).toEqual({
        directory: 'applied',
        apps: 'applied',
        'apps:2': 'not_applicable',
      });
      expect(without.state).toBe('done');
      await suite.lockstep.configure(
        companyDocument(suite.company, { apps: { multipleAccountPasswordSync: true } }),
      );
      const change = await suite.lockstep.readEnd(
        await suite.lockstep.accept({ person, password: second }),
      );
      expect(statesOf(change)['apps:2']).toBe('applied');
      expect(await holders(accounts, second)).toEqual([true, true, true]);
    },
  );

  test('an account that is not linked is found by the correlation rules and stays linked', async () => {
    const [directory, crm] = [
      await suite.company.addAccount('directory'),
      await suite.company.addAccount('crm'),
    ];
    await suite.lockstep.configure(
      companyDocument(suite.company, { crm: { correlate: [{ login: 'crmLogin' }] } }),
    );
    const person = await suite.lockstep.addPerson([directory], { crmLogin: crm.name });
    const word = newPassword();
    const change = await suite.lockstep.readEnd(
      await suite.lockstep.accept({ person, password: word }),
    );
    expect(change.accounts.map(({ source, account }) => [source, account])).toContainEqual([
      'crm',
      crm.name,
    ]);
    expect(await crm.logsIn(word)).toBe(true);
    const identity = await findIdentity(suite.lockstep.database.db, { name: person });
    expect(identity?.accounts.map(({ linkedBy }) => linkedBy)).toContain('correlation');
  });

  test('an account is rejected when two match the correlation rules, and left out when none matches', async () => {
    const accounts = await Promise.all([
      suite.company.addAccount('directory'),
      suite.company.addAccount('apps'),
      suite.company.addAccount('apps'),
    ]);
    const mail = `${Math.random().toString(36).slice(2)}@shared.test`;
    for (const index of [1, 2])
      await suite.company.directories.apps.replace(entryOf(accounts[index]), 'mail', mail);
    await suite.lockstep.configure(
      companyDocument(suite.company, {
        apps: { correlate: [{ mail: 'mail' }] },
        crm: { correlate: [{ login: 'mail' }] },
      }),
    );
    const person = await suite.lockstep.addPerson(accounts.slice(0, 1), { mail });
    const word = newPassword();
    const change = await suite.lockstep.readEnd(
      await suite.lockstep.accept({ person, password: word }),
    );
    expect(change.state).toBe('partial');
    expect(change.accounts.map(({ label, state, reason }) => [label, state, reason])).toEqual([
      ['directory', 'applied', null],
      ['apps', 'rejected', 'several_accounts'],
      ['crm', 'not_applicable', 'no_account_found'],
    ]);
    expect(await holders(accounts, word)).toEqual([true, false, false]);
  });

  test('a change is refused without any attempt when the person has no account in the auth source', async () => {
    const { person, accounts } = await suite.addPerson('apps', 'crm');
    const word = newPassword();
    const change = await suite.lockstep.readEnd(
      await suite.lockstep.accept({ person, password: word }),
    );
    expect(change).toMatchObject({ state: 'refused', reason: 'no_auth_account' });
    expect(statesOf(change)).toEqual({ apps: 'not_attempted', crm: 'not_attempted' });
    expect(await holders(accounts, word)).toEqual([false, false]);
  });

  test(
    keeps('a source that is disabled, or removed while the change runs, is left out', 26, 32),
    async () => {
      const { person } = await suite.addPerson('directory', 'apps', 'crm');
      await suite.lockstep.configure(companyDocument(suite.company, { crm: { enabled: false } }));
      await suite.takeAway('apps');
      const id = await suite.lockstep.accept({ person, password: newPassword() });
      await suite.lockstep.readUntil(id, ({ state }) => state === 'waiting');
      const { apps: _gone, ...sources } = suite.company.sources();
      await suite.lockstep.configure({
        ...companyDocument(suite.company),
        sources,
        groups: {},
        applications: {},
      });
      await suite.lockstep.command(id, 'retry');
      const change = await suite.lockstep.readEnd(id);
      expect(change.accounts.map(({ label, state, reason }) => [label, state, reason])).toEqual([
        ['directory', 'applied', null],
        ['apps', 'not_applicable', 'source_removed'],
        ['crm', 'not_applicable', 'source_disabled'],
      ]);
    },
  );

  test('many accounts of one source share one activity, which keeps the history short', async () => {
    const accounts = await Promise.all([
      suite.company.addAccount('directory'),
      ...Array.from({ length: 60 }, () => suite.company.addAccount('crm')),
    ]);
    await suite.lockstep.configure(
      companyDocument(suite.company, { crm: { multipleAccountPasswordSync: true } }),
    );
    const person = await suite.lockstep.addPerson(accounts);
    const word = newPassword();
    const id = await suite.lockstep.accept({ person, password: word });
    expect((await suite.lockstep.readEnd(id)).state).toBe('done');
    expect((await holders(accounts, word)).every((holds) => holds)).toBe(true);
    // An activity for each account would cost three events for each; a slow machine adds some to the usual thirty.
    const { historyLength } = await describeWorkflow(suite.engine, id);
    expect(historyLength).toBeLessThan(accounts.length);
  });

  test('a source on the queue lane is served by its own task queue', async () => {
    const { person, accounts } = await suite.addPerson('directory', 'apps');
    await suite.lockstep.configure(
      companyDocument(suite.company, { directory: { lane: 'queue' }, apps: { lane: 'queue' } }),
    );
    const word = newPassword();
    const change = await suite.lockstep.readEnd(
      await suite.lockstep.accept({ person, password: word }),
    );
    expect(change.state).toBe('done');
    expect(await holders(accounts, word)).toEqual([true, true]);
  });
});
