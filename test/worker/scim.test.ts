import type { TestApi } from '../support/api';
import { holders, newPassword } from '../support/people';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { companyDocument, workerSuite } from '../support/worker-suite';

/** `crm` stands for the identity provider: its passwords are written to real directories and databases. */
describeWith(
  ['slapd', 'postgres', 'temporal'],
  'a password that an identity provider pushes',
  () => {
    let api: TestApi;
    let okta: string;
    const scim = { pushesRealPassword: true };
    const suite = workerSuite((company) =>
      companyDocument(company, {
        crm: { capture: { enabled: true, verifyCurrent: false, scim } },
      }),
    );

    beforeAll(async () => {
      api = await suite.startApi();
      okta = await api.newKey(['capture'], ['all']);
    });
    const send = (method: string, path: string, body?: object) =>
      api.send(method, `/scim/v2/crm${path}`, {
        key: okta,
        ...(body === undefined ? {} : { body }),
        headers: {
          'user-agent': 'Okta SCIM Client 1.0.0',
          ...(body === undefined ? {} : { 'content-type': 'application/scim+json; charset=utf-8' }),
        },
      });
    /** Pushes a user as Okta does when a person is assigned to an app. */
    async function assign(userName: string): Promise<string> {
      const filter = encodeURIComponent(`userName eq "${userName}"`);
      const found = await send('GET', `/Users?filter=${filter}&startIndex=1&count=100`);
      expect(found.body).toMatchObject({ totalResults: 0 });
      const created = await send('POST', '/Users', {
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
        userName,
        name: { givenName: 'Ada', familyName: 'Marsh' },
        emails: [{ primary: true, value: userName, type: 'work' }],
        password: 'a placeholder',
        active: true,
      });
      return String(created.body.id);
    }
    const push = (id: string, password: string) =>
      send('PATCH', `/Users/${id}`, {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
        Operations: [{ op: 'replace', value: { password } }],
      });
    const changesOf = async (person: string) => {
      const changes = await suite.lockstep.database.db
        .selectFrom('change')
        .select(['id', 'ended_at as endedAt'])
        .where('identity_name', '=', person)
        .orderBy('seq')
        .execute();
      return changes;
    };
    async function readLast(person: string) {
      await until(async () => (await changesOf(person)).every(({ endedAt }) => endedAt !== null));
      return suite.lockstep.read((await changesOf(person)).at(-1)?.id ?? '');
    }
    const outcomes = (change: Awaited<ReturnType<typeof readLast>>) =>
      change.accounts.map(({ label, state, reason, attempts }) => [label, state, reason, attempts]);

    test('a pushed password reaches OpenLDAP and PostgreSQL and is not written back', async () => {
      const { person, accounts } = await suite.addPerson('directory', 'apps', 'warehouse', 'crm');
      const crm = accounts[3];
      const id = await assign(crm?.name ?? '');
      expect(await changesOf(person)).toEqual([]);
      const word = newPassword();
      await crm?.changeThere(word);
      expect((await push(id, word)).status).toBe(200);
      const change = await readLast(person);
      expect(change.state).toBe('done');
      expect(outcomes(change)).toEqual([
        ['directory', 'applied', null, 1],
        ['apps', 'applied', null, 1],
        ['warehouse', 'applied', null, 1],
        ['crm', 'applied', 'origin', 0],
      ]);
      expect(await holders(accounts, word)).toEqual([true, true, true, true]);
    });

    test('a password that is pushed again at a later sign-in does not rewrite accounts that hold it', async () => {
      const { person, accounts } = await suite.addPerson('directory', 'apps', 'warehouse', 'crm');
      const [, apps, warehouse, crm] = accounts;
      const id = await assign(crm?.name ?? '');
      const [word, stale] = [newPassword(), newPassword()];
      await crm?.changeThere(word);
      await push(id, word);
      await readLast(person);
      await suite.lockstep.database.db
        .updateTable('change')
        .set({ password_fingerprints: null })
        .where('identity_name', '=', person)
        .execute();
      await warehouse?.changeThere(stale);
      const before = await suite.storedInApps(apps);
      await push(id, word);
      const change = await readLast(person);
      expect(await changesOf(person)).toHaveLength(2);
      expect(change.state).toBe('done');
      expect(await suite.storedInApps(apps)).toBe(before);
      expect(await holders(accounts, word)).toEqual([true, true, true, true]);
    });
  },
);
