import { TYPED_IN_A_ROW } from '../../model/captures/sign-in';
import type { TestApi } from '../support/api';
import type { CompanyAccount } from '../support/company';
import { holders, newPassword } from '../support/people';
import { describeWith } from '../support/servers';
import { companyDocument, entryOf, workerSuite } from '../support/worker-suite';

/** Wrong current passwords through every route that logs in with one, on real servers. The auth account is in OpenLDAP. */
describeWith(['slapd', 'postgres', 'temporal'], 'the guard of an auth account', () => {
  const capture = { enabled: true };
  const suite = workerSuite((company) =>
    companyDocument(company, { directory: { capture }, apps: { capture } }),
  );
  let api: TestApi;
  let keys: { desk: string; relay: string; portal: string };

  beforeAll(async () => {
    api = await suite.startApi();
    keys = {
      desk: await api.newKey(['trigger']),
      relay: await api.newKey(['capture']),
      portal: await api.newKey(['sign-in']),
    };
  });

  const db = () => suite.lockstep.database.db;
  const reasonOf = async (id: unknown) => {
    const { reason, state } = await suite.lockstep.readEnd(String(id));
    return reason ?? state;
  };

  async function addPerson() {
    const { person, accounts } = await suite.addPerson('directory', 'apps');
    const word = newPassword();
    await suite.lockstep.readEnd(await suite.lockstep.accept({ person, password: word }));
    return { person, accounts, word };
  }

  const change = async (person: string, password: string, currentPassword?: string) => {
    const body = { identity: person, password, currentPassword };
    return reasonOf((await api.send('POST', '/v1/changes', { key: keys.desk, body })).body.id);
  };
  const report = async (account: CompanyAccount | undefined, currentPassword: string) => {
    const captured = { password: newPassword(), capturedAt: new Date().toISOString() };
    const body = { source: account?.source, account: account?.name, ...captured, currentPassword };
    return reasonOf((await api.send('POST', '/v1/captures', { key: keys.relay, body })).body.id);
  };
  const signIn = async (identity: string, password: string) => {
    const body = { identity, password };
    const reply = await api.send('POST', '/v1/sign-ins', { key: keys.portal, body });
    return reply.body.code ?? reply.body.result;
  };

  /** Number of wrong passwords that have reached the source since the last right one. */
  const failures = async (account: CompanyAccount | undefined) => {
    const entry = await suite.company.directories.directory.read(entryOf(account));
    return [entry.pwdFailureTime ?? []].flat().length;
  };
  const passTime = () =>
    db()
      .updateTable('sign_in_guard')
      .set({ closed_until: new Date(0) })
      .execute();
  const guards = () => db().selectFrom('sign_in_guard').selectAll().execute();

  test.each<[string, readonly ('change' | 'capture' | 'sign-in')[]]>([
    ['changes and captures', Array(4).fill(['change', 'capture']).flat()],
    ['captures after sign-ins', ['sign-in', 'sign-in', ...Array(6).fill('capture')]],
    ['every route', ['change', 'sign-in', 'capture', 'change', 'capture', 'sign-in', 'change']],
  ])(
    'lets no more than two of the wrong current passwords of %s reach the source',
    async (_mix, routes) => {
      const { person, accounts, word } = await addPerson();
      const [directory, apps] = accounts;
      const answers: unknown[] = [];
      for (const [index, route] of routes.entries()) {
        const guess = `not the current one ${index}`;
        if (route === 'change') answers.push(await change(person, newPassword(), guess));
        if (route === 'capture') answers.push(await report(apps, guess));
        if (route === 'sign-in') answers.push(await signIn(person, guess));
      }
      expect(await failures(directory)).toBe(TYPED_IN_A_ROW);
      expect(answers.slice(-3)).toEqual(
        routes
          .slice(-3)
          .map((r) => (r === 'sign-in' ? 'sign_in_closed' : 'current_password_blocked')),
      );
      // Not even the right one is tried now, so that the answer does not show whether a guess was right.
      const next = newPassword();
      expect(await change(person, next, word)).toBe('current_password_blocked');
      await passTime();
      expect(await change(person, next, word)).toBe('done');
      expect(await failures(directory)).toBe(0);
      expect(await guards()).toEqual([]);
    },
  );

  test('counts wrong current passwords that are sent at the same time as one after the other', async () => {
    const { person, accounts } = await addPerson();
    const wrong = Array.from({ length: 8 }, (_, n) => change(person, newPassword(), `guess ${n}`));
    await Promise.all(wrong);
    expect(await failures(accounts[0])).toBeLessThanOrEqual(TYPED_IN_A_ROW);
    await db().deleteFrom('sign_in_guard').execute();
  });

  test('forgets one wrong current password after a right one', async () => {
    const { person, accounts, word } = await addPerson();
    let current = word;
    for (const n of [1, 2, 3]) {
      expect(await change(person, newPassword(), `guess ${n}`)).toBe('wrong_current_password');
      const next = newPassword();
      expect(await change(person, next, current)).toBe('done');
      current = next;
    }
    expect(await holders(accounts, current)).toEqual([true, true]);
    expect(await guards()).toEqual([]);
  });

  test('does not stop a change without the current password, which opens it again for the person', async () => {
    const { person, word } = await addPerson();
    for (const n of [1, 2, 3]) await change(person, newPassword(), `guess ${n}`);
    expect(await change(person, newPassword(), word)).toBe('current_password_blocked');
    const given = newPassword();
    expect(await change(person, given)).toBe('done');
    expect(await change(person, newPassword(), given)).toBe('done');
  });

  test('counts no failure when the source could not be asked', async () => {
    const { person, word } = await addPerson();
    await suite.takeAway('directory');
    const next = newPassword();
    const body = { identity: person, password: next, currentPassword: word };
    const { id } = (await api.send('POST', '/v1/changes', { key: keys.desk, body })).body;
    await suite.lockstep.readUntil(String(id), ({ state }) => state === 'waiting');
    expect((await guards())[0]?.failures ?? 0).toBe(0);
    await suite.company.proxies.directory.pass();
    await suite.lockstep.forgetTroubles();
    await suite.lockstep.command(String(id), 'retry');
    expect(await reasonOf(id)).toBe('done');
    expect(await guards()).toEqual([]);
  });
});
