import type { Temporal } from '../../local/temporal';
import { startTestApi, type TestApi } from '../support/api';
import { type Company, startCompany } from '../support/company';
import { startEngine } from '../support/engine';
import { brokenInvariants } from '../support/invariants';
import { type Lockstep, startLockstep } from '../support/lockstep';
import { addSomebody, holders, newPassword } from '../support/people';
import { describeWith } from '../support/servers';
import { until } from '../support/until';

/** `crm` stands for the provider: what it pushes is carried to real directories and databases. */
describeWith(
  ['slapd', 'postgres', 'temporal'],
  'a password that an identity provider pushes',
  () => {
    let engine: Temporal;
    let company: Company;
    let lockstep: Lockstep;
    let api: TestApi;
    let okta: string;

    beforeAll(async () => {
      company = await startCompany();
      engine = await startEngine();
      lockstep = await startLockstep(engine);
      const scim = { pushesRealPassword: true };
      await lockstep.configure({
        version: 1,
        sources: company.sources({
          crm: { capture: { enabled: true, verifyCurrent: false, scim } },
        }),
        policies: { everyone: {} },
        groups: {
          all: {
            policy: 'everyone',
            authSource: 'directory',
            sources: ['directory', 'apps', 'warehouse', 'crm'],
          },
        },
      });
      lockstep.startWorker();
      api = await startTestApi({ database: lockstep.database, keyDir: lockstep.keyDir });
      okta = await api.newKey(['capture'], ['all']);
    });
    afterEach(async () => {
      expect(await brokenInvariants(lockstep.database.db)).toEqual({});
    });
    afterAll(async () => {
      await api.stopProcess();
      await lockstep.stop();
      await engine.stop();
      await company.stop();
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
    /** As Okta does it when somebody is assigned to an app. */
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
      const changes = await lockstep.database.db
        .selectFrom('change')
        .select(['id', 'ended_at as endedAt'])
        .where('identity_name', '=', person)
        .orderBy('seq')
        .execute();
      return changes;
    };
    async function readLast(person: string) {
      await until(async () => (await changesOf(person)).every(({ endedAt }) => endedAt !== null));
      return lockstep.read((await changesOf(person)).at(-1)?.id ?? '');
    }
    const outcomes = (change: Awaited<ReturnType<typeof readLast>>) =>
      change.accounts.map(({ label, state, reason, attempts }) => [label, state, reason, attempts]);

    test('is carried to OpenLDAP and PostgreSQL, and not written back', async () => {
      const { person, accounts } = await addSomebody(
        lockstep,
        company,
        'directory',
        'apps',
        'warehouse',
        'crm',
      );
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

    test('at a sign-in, long after the change: accounts that hold it are not written again', async () => {
      const { person, accounts } = await addSomebody(
        lockstep,
        company,
        'directory',
        'apps',
        'warehouse',
        'crm',
      );
      const [, apps, warehouse, crm] = accounts;
      const id = await assign(crm?.name ?? '');
      const [word, stale] = [newPassword(), newPassword()];
      await crm?.changeThere(word);
      await push(id, word);
      await readLast(person);
      await lockstep.database.db
        .updateTable('change')
        .set({ password_fingerprints: null })
        .where('identity_name', '=', person)
        .execute();
      await warehouse?.changeThere(stale);
      // Salted: each write makes another one.
      const stored = async () => {
        const account = {
          ref: { name: apps?.name ?? '', nativeId: null },
          password: '',
          key: '',
        };
        return String((await company.directories.apps.read(account)).userPassword);
      };
      const before = await stored();
      await push(id, word);
      const change = await readLast(person);
      expect(await changesOf(person)).toHaveLength(2);
      expect(change.state).toBe('done');
      expect(await stored()).toBe(before);
      expect(await holders(accounts, word)).toEqual([true, true, true, true]);
    });
  },
);
