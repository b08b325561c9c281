import { holders, newPassword } from '../support/people';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';
import { statesOf, workerSuite } from '../support/worker-suite';

/** One change of a password on real servers, and every way in which it can end. */
describeWith(['slapd', 'postgres', 'temporal'], 'changing a password', () => {
  const suite = workerSuite(undefined, { recordsHistories: true });

  test(
    keeps(
      'a change reaches every account, verifies each one, and the old password no longer works',
      31,
    ),
    async () => {
      const { person, accounts } = await suite.addPerson('directory', 'apps', 'warehouse', 'crm');
      const [first, second] = [newPassword(), newPassword()];
      const before = await suite.lockstep.readEnd(
        await suite.lockstep.accept({ person, password: first }),
      );
      expect(before.state).toBe('done');
      const change = await suite.lockstep.readEnd(
        await suite.lockstep.accept({ person, password: second }),
      );
      expect(change.state).toBe('done');
      expect(change.accounts.map(({ label, role, proof }) => [label, role, proof])).toEqual([
        ['directory', 'auth', 'login'],
        ['apps', 'member', 'login'],
        ['warehouse', 'member', 'login'],
        ['crm', 'member', 'hash'],
      ]);
      expect(await holders(accounts, second)).toEqual([true, true, true, true]);
      expect(await holders(accounts, first)).toEqual([false, false, false, false]);
    },
  );

  test('the other accounts are written only after the auth account holds the new password', async () => {
    const { person, accounts } = await suite.addPerson('directory', 'apps', 'crm');
    const change = await suite.lockstep.readEnd(
      await suite.lockstep.accept({ person, password: newPassword() }),
    );
    const [auth, ...members] = change.accounts.map(({ updatedAt }) => updatedAt.getTime());
    expect(members.every((member) => member >= (auth ?? Infinity))).toBe(true);
    expect(accounts).toHaveLength(3);
  });

  test(
    keeps('no other account is tried when the auth account rejects the password', 1),
    async () => {
      const { person, accounts } = await suite.addPerson('directory', 'apps', 'warehouse');
      const short = 'short';
      const change = await suite.lockstep.readEnd(
        await suite.lockstep.accept({ person, password: short }),
      );
      expect(change).toMatchObject({ state: 'refused', reason: 'policy_too_short' });
      expect(statesOf(change)).toEqual({
        directory: 'rejected',
        apps: 'not_attempted',
        warehouse: 'not_attempted',
      });
      expect(change.accounts.map(({ attempts }) => attempts)).toEqual([1, 0, 0]);
      expect(await holders(accounts, short)).toEqual([false, false, false]);
    },
  );

  test(keeps('a wrong current password is reported and no account is changed', 15), async () => {
    const { person, accounts } = await suite.addPerson('directory', 'apps');
    const [old, next] = [newPassword(), newPassword()];
    await suite.lockstep.readEnd(await suite.lockstep.accept({ person, password: old }));
    const refused = await suite.lockstep.readEnd(
      await suite.lockstep.accept({ person, password: next, current: 'not the current one' }),
    );
    expect(refused).toMatchObject({ state: 'refused', reason: 'wrong_current_password' });
    expect(await holders(accounts, old)).toEqual([true, true]);
    const done = await suite.lockstep.readEnd(
      await suite.lockstep.accept({ person, password: next, current: old }),
    );
    expect(done.state).toBe('done');
    expect(await holders(accounts, next)).toEqual([true, true]);
  });

  test(
    keeps(
      'a rejected account gives its reason and is never retried, and the other accounts are changed',
      4,
      8,
    ),
    async () => {
      const { person, accounts } = await suite.addPerson('directory', 'apps', 'warehouse');
      await suite.rejectPasswords(accounts[1]);
      const word = newPassword();
      const change = await suite.lockstep.readEnd(
        await suite.lockstep.accept({ person, password: word }),
      );
      expect(change.state).toBe('partial');
      expect(statesOf(change)).toEqual({
        directory: 'applied',
        apps: 'rejected',
        warehouse: 'applied',
      });
      expect(change.accounts[1]).toMatchObject({ reason: 'policy_too_short', attempts: 1 });
      expect(await holders(accounts, word)).toEqual([true, false, true]);
    },
  );

  test(
    keeps(
      'an account of an unreachable source follows once the source is back, and the others are changed at once',
      10,
    ),
    async () => {
      const { person, accounts } = await suite.addPerson('directory', 'apps', 'crm');
      await suite.takeAway('apps');
      const word = newPassword();
      const id = await suite.lockstep.accept({ person, password: word });
      const waiting = await suite.lockstep.readUntil(id, ({ state }) => state === 'waiting');
      expect(statesOf(waiting)).toEqual({ directory: 'applied', apps: 'waiting', crm: 'applied' });
      expect(waiting.accounts[1]).toMatchObject({ reason: 'unreachable' });
      await suite.company.proxies.apps.pass();
      const change = await suite.lockstep.readEnd(id);
      expect(change.state).toBe('done');
      expect(change.accounts[1]?.attempts).toBe(2);
      expect(await holders(accounts, word)).toEqual([true, true, true]);
    },
  );

  test(
    keeps('no other account is attempted before an unreachable auth source has answered', 1),
    async () => {
      const { person, accounts } = await suite.addPerson('directory', 'apps');
      await suite.takeAway('directory');
      const word = newPassword();
      const id = await suite.lockstep.accept({ person, password: word });
      const waiting = await suite.lockstep.readUntil(
        id,
        (change) => statesOf(change).directory === 'waiting',
      );
      expect(statesOf(waiting)).toEqual({ directory: 'waiting', apps: 'pending' });
      await suite.company.proxies.directory.pass();
      await suite.lockstep.command(id, 'retry');
      expect((await suite.lockstep.readEnd(id)).state).toBe('done');
      expect(await holders(accounts, word)).toEqual([true, true]);
    },
  );

  test.each(['cut', 'hang'] as const)(
    'a write whose reply is lost (%s) counts as applied although the source refuses to repeat it',
    async (after) => {
      const { person, accounts } = await suite.addPerson('directory', 'apps');
      // Warm connections, so that the next reply is that of a request and not of a login.
      await suite.lockstep.readEnd(
        await suite.lockstep.accept({ person, password: newPassword() }),
      );
      const word = newPassword();
      const lost = suite.company.proxies.directory.loseReply(2, after);
      const change = await suite.lockstep.readEnd(
        await suite.lockstep.accept({ person, password: word }),
      );
      expect(lost.happened()).toBe(true);
      expect(change.state).toBe('done');
      expect(await holders(accounts, word)).toEqual([true, true]);
    },
  );

  test(keeps('every account ends with the password of the newer of two changes', 12), async () => {
    const { person, accounts } = await suite.addPerson('directory', 'apps', 'crm');
    await suite.takeAway('apps');
    const [older, newer] = [newPassword(), newPassword()];
    const first = await suite.lockstep.accept({ person, password: older });
    await suite.lockstep.readUntil(first, ({ state }) => state === 'waiting');
    const second = await suite.lockstep.accept({ person, password: newer });
    const superseded = await suite.lockstep.readEnd(first);
    expect(statesOf(superseded)).toEqual({
      directory: 'applied',
      apps: 'superseded',
      crm: 'applied',
    });
    await suite.company.proxies.apps.pass();
    expect((await suite.lockstep.readEnd(second)).state).toBe('done');
    expect(await holders(accounts, newer)).toEqual([true, true, true]);
  });

  test(
    keeps(
      'every account ends with the newest password when many changes of one person run at once',
      12,
    ),
    async () => {
      const { person, accounts } = await suite.addPerson('directory', 'apps', 'warehouse', 'crm');
      const words = Array.from({ length: 6 }, newPassword);
      const ids: string[] = [];
      for (const word of words) ids.push(await suite.lockstep.accept({ person, password: word }));
      await Promise.all(ids.map((id) => suite.lockstep.readEnd(id)));
      expect(await holders(accounts, words.at(-1) ?? '')).toEqual([true, true, true, true]);
    },
  );

  test('a change that is cancelled while an account waits keeps what was written and leaves the rest', async () => {
    const { person } = await suite.addPerson('directory', 'apps');
    await suite.takeAway('apps');
    const id = await suite.lockstep.accept({ person, password: newPassword() });
    await suite.lockstep.readUntil(id, ({ state }) => state === 'waiting');
    await suite.lockstep.command(id, 'cancel');
    const change = await suite.lockstep.readEnd(id);
    expect(change.state).toBe('partial');
    expect(statesOf(change)).toEqual({ directory: 'applied', apps: 'cancelled' });
  });

  test('a change that is cancelled while the auth account waits has written nothing', async () => {
    const { person, accounts } = await suite.addPerson('directory', 'apps');
    await suite.takeAway('directory');
    const word = newPassword();
    const id = await suite.lockstep.accept({ person, password: word });
    await suite.lockstep.readUntil(id, (change) => statesOf(change).directory === 'waiting');
    await suite.lockstep.command(id, 'cancel');
    const change = await suite.lockstep.readEnd(id);
    expect(change.state).toBe('cancelled');
    expect(statesOf(change)).toEqual({ directory: 'cancelled', apps: 'not_attempted' });
    await suite.company.proxies.directory.pass();
    expect(await holders(accounts, word)).toEqual([false, false]);
  });
});
