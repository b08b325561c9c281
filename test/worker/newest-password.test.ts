import type { TestApi } from '../support/api';
import type { CompanyAccount } from '../support/company';
import { holders, newPassword } from '../support/people';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { companyDocument, entryOf, workerSuite } from '../support/worker-suite';

/** Two passwords of one person at the same time: the newest one that was accepted and not refused wins (I3). */
describeWith(['slapd', 'postgres', 'temporal'], 'the newest password of a person', () => {
  let api: TestApi;
  let key: string;

  const suite = workerSuite((company) =>
    companyDocument(company, {
      directory: { capture: { enabled: true } },
      apps: { capture: { enabled: true, verifyCurrent: false } },
    }),
  );
  beforeAll(async () => {
    api = await suite.startApi();
    key = await api.newKey(['capture', 'trigger']);
  });

  async function start(body: object): Promise<string> {
    const { status, body: change } = await api.send('POST', '/v1/changes', { key, body });
    expect(status).toBe(202);
    return String(change.id);
  }
  /** Changes the password in its source, and reports it as the relay of the source does. */
  async function changeThere(account: CompanyAccount, word: string): Promise<string> {
    await account.changeThere(word);
    const { source, name } = account;
    const capturedAt = new Date().toISOString();
    const { status, body } = await api.send('POST', '/v1/captures', {
      key,
      body: { source, account: name, password: word, capturedAt },
    });
    expect(status).toBe(202);
    return String(body.id);
  }
  const stateOf = async (id: string) => (await suite.lockstep.readEnd(id)).state;
  async function addPerson() {
    const { person, accounts } = await suite.addPerson('directory', 'apps', 'crm');
    const [directory, apps] = accounts;
    if (directory === undefined || apps === undefined) throw new Error('no accounts');
    return { person, accounts, directory, apps };
  }
  /** Locks an account of the directory until `unlock`. */
  async function lock(account: CompanyAccount): Promise<void> {
    const { directory } = suite.company.directories;
    const policy = await directory.addPolicy({ pwdLockout: 'TRUE', pwdMaxFailure: '100' });
    await directory.replace(entryOf(account), 'pwdPolicySubentry', policy);
    const now = new Date().toISOString().replace(/[-:T]|\.\d+/g, '');
    await directory.replace(entryOf(account), 'pwdAccountLockedTime', now);
  }
  const unlock = (account: CompanyAccount) =>
    suite.company.directories.directory.replace(entryOf(account), 'pwdAccountLockedTime');

  test(
    keeps(
      'a password captured in the auth source outlives an older change that waits for it',
      12,
      14,
    ),
    async () => {
      const { person, accounts, directory } = await addPerson();
      await suite.takeAway('directory');
      const older = await start({ identity: person, password: newPassword() });
      await suite.lockstep.readUntil(older, ({ state }) => state === 'waiting');
      const word = newPassword();
      const captured = await changeThere(directory, word);
      await suite.company.proxies.directory.pass();
      await suite.lockstep.command(older, 'retry');
      expect(await stateOf(captured)).toBe('done');
      expect(await stateOf(older)).toBe('superseded');
      expect(await holders(accounts, word)).toEqual([true, true, true]);
    },
  );

  test(
    keeps('a password captured in any source outlives an older change that waits for it', 12),
    async () => {
      const { person, accounts, apps } = await addPerson();
      await suite.takeAway('apps');
      const older = await start({ identity: person, password: newPassword() });
      await suite.lockstep.readUntil(older, ({ accounts: [, one] }) => one?.state === 'waiting');
      const word = newPassword();
      const captured = await changeThere(apps, word);
      await suite.company.proxies.apps.pass();
      await suite.lockstep.command(older, 'retry');
      expect(await stateOf(captured)).toBe('done');
      await stateOf(older);
      expect(await holders(accounts, word)).toEqual([true, true, true]);
    },
  );

  test(
    keeps('a retry does not overwrite a newer password that no relay has reported yet', 12),
    async () => {
      const { person, directory } = await addPerson();
      const word = newPassword();
      await suite.takeAway('directory');
      const older = await start({ identity: person, password: newPassword() });
      await suite.lockstep.readUntil(older, ({ state }) => state === 'waiting');
      const { db } = suite.lockstep.database;
      // The clocks of the source and of Lockstep may differ by a minute, so the change was planned before that.
      await db
        .updateTable('change')
        .set({ planned_at: new Date(Date.now() - 120_000) })
        .where('id', '=', older)
        .execute();
      await directory.changeThere(word);
      await suite.company.proxies.directory.pass();
      await suite.lockstep.command(older, 'retry');
      expect(await stateOf(older)).toBe('superseded');
      expect(await directory.logsIn(word)).toBe(true);
    },
  );

  test(
    keeps('a newer change with a wrong current password costs the older one nothing', 12, 15),
    async () => {
      const { person, accounts, directory } = await addPerson();
      const [old, word] = [newPassword(), newPassword()];
      await directory.changeThere(old);
      await lock(directory);
      const older = await start({ identity: person, password: word, currentPassword: old });
      await suite.lockstep.readUntil(older, ({ state }) => state === 'waiting');
      const guess = { identity: person, password: newPassword(), currentPassword: 'A wrong guess' };
      const newer = await start(guess);
      await suite.lockstep.readUntil(
        newer,
        ({ accounts: [auth] }) => auth?.state === 'waiting' && auth.attempts > 0,
      );
      await suite.lockstep.command(older, 'retry');
      await until(async () => {
        const [auth] = (await suite.lockstep.read(older)).accounts;
        return auth?.reason === 'account_in_use';
      });
      await unlock(directory);
      await suite.lockstep.command(newer, 'retry');
      expect(await suite.lockstep.readEnd(newer)).toMatchObject({
        state: 'refused',
        reason: 'wrong_current_password',
      });
      expect(await stateOf(older)).toBe('done');
      expect(await holders(accounts, word)).toEqual([true, true, true]);
    },
  );
});
