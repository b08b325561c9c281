import type { Client } from 'pg';
import type { Change } from '../../cli/http/answers';
import type { Output } from '../../cli/output';
import { inFull, inShort } from '../../cli/text/change-text';
import { postgresAdmin } from '../connectors/sql-admin';
import type { TestApi } from '../support/api';
import { holders, newPassword } from '../support/people';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';
import { entryOf, workerSuite } from '../support/worker-suite';

/** "Done" counts passwords. What keeps the person from signing in is reported next to it. */
describeWith(
  ['slapd', 'postgres', 'temporal'],
  'accounts in which the person cannot sign in',
  () => {
    const suite = workerSuite();
    let api: TestApi;
    let key: string;
    let postgres: Client;
    beforeAll(async () => {
      api = await suite.startApi();
      key = await api.newKey(['read']);
      postgres = await postgresAdmin();
    });
    afterAll(() => postgres.end());

    const read = (path: string) => api.send('GET', path, { key });
    const output = {
      width: 200,
      paint: (_style: string, text: string) => text,
    } as unknown as Output;

    test(
      keeps(
        'a change of locked, disabled and must-change accounts reports which hold the password, and what prevents the sign-in',
        18,
      ),
      async () => {
        const { person, accounts } = await suite.addPerson('directory', 'apps', 'warehouse', 'crm');
        const [directory, apps, warehouse] = accounts;
        const admins = suite.company.directories;
        await admins.directory.replace(entryOf(directory), 'pwdAccountLockedTime', '000001010000Z');
        const mustChange = await admins.apps.addPolicy({ pwdMustChange: 'TRUE' });
        await admins.apps.replace(entryOf(apps), 'pwdPolicySubentry', mustChange);
        await admins.apps.replace(entryOf(apps), 'pwdReset', 'TRUE');
        await postgres.query(`alter role "${warehouse?.name}" nologin`);
        const password = newPassword();
        const id = await suite.lockstep.accept({ person, password });
        await suite.lockstep.readEnd(id);

        const { body } = await read(`/v1/changes/${id}`);
        expect(body).toMatchObject({
          state: 'done',
          says: 'every account took the new password, but the person cannot sign in to 3 of them; 1 of 4 is not verified',
          signInsPrevented: 3,
          accounts: [
            {
              outcome: 'applied',
              reason: null,
              signInPrevented: 'account_disabled',
              proved: false,
            },
            {
              outcome: 'applied',
              reason: null,
              signInPrevented: 'must_change_password',
              proof: 'login',
            },
            {
              outcome: 'applied',
              reason: null,
              signInPrevented: 'account_disabled',
              proof: 'login',
            },
            { outcome: 'applied', reason: null, signInPrevented: null, proof: 'hash' },
          ],
        });
        const change = body as unknown as Change;
        const text = inFull(output, change, Date.now()).join('\n');
        expect(text).toMatch(
          /^! .*cannot sign in to 3 of them; 1 of 4 is not verified \(4 of 4\)$/m,
        );
        expect(text).toMatch(
          /! +directory \(auth\) .* holds the new password, but the account is disabled/,
        );
        expect(text).toMatch(
          /! +apps .* but it must be changed at the next sign-in; verified by a login/,
        );
        expect(text).toMatch(/✔ +crm .* holds the new password, verified by its hash/);
        expect(inShort(output, change).join('\n')).not.toMatch(/retr(y|ies)/);
        const { body: list } = await read(`/v1/changes?identity=${person}`);
        expect(list.changes).toMatchObject([{ applied: 4, signInsPrevented: 3 }]);
        const { body: stale } = await read(`/v1/stale?identity=${person}`);
        expect(stale.stale).toMatchObject([{ source: 'directory', code: 'unproved' }]);

        await admins.directory.replace(entryOf(directory), 'pwdAccountLockedTime');
        await postgres.query(`alter role "${warehouse?.name}" login`);
        expect(await holders(accounts, password)).toEqual([true, true, true, true]);
      },
    );

    test(
      keeps(
        'a locked account holds the new password, and no text says that it will be retried',
        18,
      ),
      async () => {
        const { person, accounts } = await suite.addPerson('directory', 'apps');
        const { directory } = suite.company.directories;
        const locking = await directory.addPolicy({ pwdLockout: 'TRUE', pwdMaxFailure: '2' });
        await directory.replace(entryOf(accounts[0]), 'pwdPolicySubentry', locking);
        for (let guess = 0; guess < 3; guess++) await accounts[0]?.logsIn('a wrong password');
        const id = await suite.lockstep.accept({ person, password: newPassword() });
        await suite.lockstep.readEnd(id);
        const { body } = await read(`/v1/changes/${id}`);
        expect(body).toMatchObject({
          state: 'done',
          accounts: [
            { signInPrevented: 'account_locked', nextTryAt: null },
            { signInPrevented: null },
          ],
        });
        expect(JSON.stringify(body)).not.toMatch(/retries/);
      },
    );

    test('a change of accounts that all can sign in prevents no sign-in', async () => {
      const { person } = await suite.addPerson('directory', 'apps', 'warehouse', 'crm');
      const id = await suite.lockstep.accept({ person, password: newPassword() });
      await suite.lockstep.readEnd(id);
      const { body } = await read(`/v1/changes/${id}`);
      expect(body).toMatchObject({
        says: 'every account holds the new password',
        signInsPrevented: 0,
      });
    });
  },
);
