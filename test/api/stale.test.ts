import { accountRulesOf } from '../../connectors/registry';
import { configurationSchema } from '../../model/configuration/document';
import { exactRules } from '../../model/people/naming';
import { noteChangedThere } from '../../store/changes/stale';
import { applyConfiguration } from '../../store/configuration/versions';
import { findIdentity, saveIdentity } from '../../store/people/identities';
import { endChange } from '../../store/worker/close';
import type { Settlement } from '../../store/worker/outcomes';
import { startTestApi, type TestApi } from '../support/api';
import { addPerson, planned, settled, testConfiguration } from '../support/played-worker';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';

describeWith(['postgres'], 'accounts that do not hold the password of their person', () => {
  let api: TestApi;
  let people = 0;

  beforeAll(async () => {
    api = await startTestApi();
    const configuration = configurationSchema.parse(testConfiguration);
    await applyConfiguration(api.database.db, configuration, 0, 'test', accountRulesOf);
  });
  afterAll(() => api.stop());

  const SOURCES = ['directory', 'warehouse', 'crm'];
  async function newPerson(): Promise<string> {
    const name = `person-${++people}`;
    await addPerson(api.database.db, name, SOURCES);
    return name;
  }
  /** Runs a change with these outcomes. Accounts without an outcome are applied. */
  async function changed(
    name: string,
    outcomes: Record<string, Partial<Settlement>> = {},
    end: Parameters<typeof endChange>[2] = { state: 'partial', reason: null },
  ): Promise<string> {
    const body = { identity: name, password: `correct horse battery ${Math.random()}` };
    const reply = await api.send('POST', '/v1/changes', { body });
    const { db } = api.database;
    const id = String(reply.body.id);
    await planned(db, id, name, SOURCES);
    for (const source of SOURCES) {
      const outcome = outcomes[source] ?? {};
      await db
        .updateTable('account')
        .set({ claimed_seq: (await findIdentity(db, { name }))?.lastSeq ?? 0 })
        .where('name', '=', name)
        .where('source', '=', source)
        .execute();
      await settled(db, id, source, { proof: outcome.state ? 'none' : 'login', ...outcome });
    }
    await endChange(db, id, end);
    return id;
  }
  const stale = async (query: string, key?: string) => {
    const { body } = await api.send('GET', `/v1/stale?${query}`, key === undefined ? {} : { key });
    return body.stale as Record<string, unknown>[];
  };

  test('a stale account is listed with the change that it missed, since when, and what to do', async () => {
    const name = await newPerson();
    const id = await changed(name, { crm: { state: 'expired', reason: 'too_old' } });
    expect(await stale(`identity=${name}`)).toEqual([
      {
        identity: name,
        source: 'crm',
        account: name,
        change: id,
        code: 'expired',
        reason: 'too_old',
        says: expect.any(String),
        cure: expect.any(String),
        since: expect.stringMatching(/Z$/),
      },
    ]);
  });

  test('an account stops being stale once a later change is applied', async () => {
    const name = await newPerson();
    expect(await stale(`identity=${name}`)).toEqual([]);
    await changed(name, { crm: { state: 'rejected', reason: 'policy_history' } });
    expect(await stale(`identity=${name}`)).toMatchObject([{ code: 'rejected' }]);
    await changed(name, {}, { state: 'done', reason: null });
    expect(await stale(`identity=${name}`)).toEqual([]);
  });

  test('a change that was refused does not count for staleness', async () => {
    const name = await newPerson();
    const id = await changed(name, { warehouse: { state: 'expired', reason: 'too_old' } });
    const refused = { state: 'not_attempted', reason: 'auth_unchanged' } as const;
    await changed(
      name,
      {
        directory: { state: 'rejected', reason: 'policy_history' },
        warehouse: refused,
        crm: refused,
      },
      { state: 'refused', reason: 'policy_history' },
    );
    expect(await stale(`identity=${name}`)).toMatchObject([{ change: id, code: 'expired' }]);
  });

  test('an account that was linked after the last change is stale', async () => {
    const name = await newPerson();
    await changed(name);
    const link = { source: 'crm', name: `${name}-2`, nativeId: null, primary: true };
    await saveIdentity(
      api.database.db,
      { name, attributes: {} },
      [link],
      'operator',
      'test',
      () => exactRules,
    );
    expect(await stale(`identity=${name}`)).toMatchObject([
      { account: `${name}-2`, code: 'linked_later' },
    ]);
  });

  test(
    keeps('an account is stale if its source reports a change that was not captured', 22),
    async () => {
      const name = await newPerson();
      await changed(name);
      const { db } = api.database;
      const account = (await findIdentity(db, { name }))?.accounts.find(
        ({ source }) => source === 'crm',
      );
      const appliedSeq = async () =>
        (
          await db
            .selectFrom('account')
            .select('applied_seq')
            .where('id', '=', account?.id ?? '')
            .executeTakeFirstOrThrow()
        ).applied_seq;
      const tell = async (ms: number) =>
        noteChangedThere(db, [
          { id: account?.id ?? '', at: new Date(Date.now() + ms), appliedSeq: await appliedSeq() },
        ]);
      await tell(1_000);
      expect(await stale(`identity=${name}`)).toEqual([]);
      await tell(120_000);
      expect(await stale(`identity=${name}`)).toMatchObject([
        { source: 'crm', code: 'changed_there', reason: null },
      ]);
    },
  );

  test('stale accounts are paged, and filtered by source and by the groups of the API key', async () => {
    const late = { crm: { state: 'expired', reason: 'too_old' } } as const;
    for (let index = 0; index < 3; index++) await changed(await newPerson(), late);
    const all = await stale('source=crm&limit=200');
    const pages: unknown[] = [];
    for (let cursor = ''; ; ) {
      const { body } = await api.send('GET', `/v1/stale?source=crm&limit=2${cursor}`);
      pages.push(...(body.stale as unknown[]));
      if (body.next === null) break;
      cursor = `&cursor=${body.next}`;
    }
    expect(pages).toEqual(all);
    expect(all.length).toBeGreaterThan(2);
    expect(await stale('source=vault')).toEqual([]);
    expect(await stale('source=crm', await api.newKey(['read'], ['one-password']))).toEqual(all);
    expect(await stale('', await api.newKey(['read'], ['finance']))).toEqual([]);
  });
});
