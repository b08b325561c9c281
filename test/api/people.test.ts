import { startTestApi, type TestApi } from '../support/api';
import { applyTestConfiguration, ended } from '../support/played-worker';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';

describeWith(['postgres'], 'people', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi();
    await applyTestConfiguration(api.database.db);
  });
  afterAll(() => api.stop());

  const put = (name: string, body: unknown) =>
    api.send('PUT', `/v1/identities/${encodeURIComponent(name)}`, { body });
  const get = (path: string) => api.send('GET', path);

  const account = (source: string, name: string, more: object = {}) => ({
    source,
    name,
    ...more,
  });

  test('a person is created with accounts and mappings and can be read again', async () => {
    const accounts = [
      account('directory', 'uid=ann', { primary: true }),
      account('warehouse', 'ann'),
    ];
    const body = {
      attributes: { mail: 'ann@x' },
      accounts,
      mappings: [{ application: 'reports' }],
    };
    const reply = await put('ann', body);
    expect(reply.status).toBe(200);
    expect(reply.body).toEqual({
      name: 'ann',
      attributes: { mail: 'ann@x' },
      accounts: [
        {
          source: 'directory',
          name: 'uid=ann',
          nativeId: null,
          primary: true,
          linkedBy: 'operator',
          problem: null,
          missingSince: null,
          stale: null,
        },
        {
          source: 'warehouse',
          name: 'ann',
          nativeId: null,
          primary: false,
          linkedBy: 'operator',
          problem: null,
          missingSince: null,
          stale: null,
        },
      ],
      mappings: [
        {
          application: 'reports',
          source: 'warehouse',
          account: 'ann',
          enabled: true,
          state: 'empty',
          reason: null,
          storedFrom: null,
        },
      ],
    });
    expect((await get('/v1/identities/ann')).body).toEqual(reply.body);
    expect((await put('ann', {})).body).toEqual(reply.body);
  });

  test('a person can have any name that a directory allows', async () => {
    const name = "O'Neil/René, 100% 🔑";
    expect((await put(name, {})).status).toBe(200);
    expect((await get(`/v1/identities/${encodeURIComponent(name)}`)).body).toMatchObject({
      name,
    });
  });

  test(
    keeps('linking an account of another person is rejected, and nothing is changed', 6),
    async () => {
      await put('ben', { accounts: [account('crm', 'ben')] });
      const body = {
        attributes: { a: 'b' },
        accounts: [account('crm', 'new'), account('crm', 'ben')],
      };
      const reply = await put('eve', body);
      expect(reply.status).toBe(409);
      expect(reply.body).toMatchObject({
        code: 'account_linked',
        issues: [{ path: ['accounts', 1], says: 'is linked to another person, ben' }],
      });
      expect((await get('/v1/identities/eve')).status).toBe(404);
    },
  );

  test('every mistake in accounts and mappings is reported at once', async () => {
    const reply = await put('fay', {
      accounts: [
        account('nowhere', 'x'),
        account('constructor', 'x'),
        account('warehouse', 'a'),
        account('warehouse', 'b'),
      ],
      mappings: [
        { application: 'nothing' },
        { application: 'reports' },
        { application: 'reports', account: 'c' },
        { application: 'reports', source: 'crm' },
        { application: 'reports', account: 'a' },
        { application: '__proto__' },
      ],
    });
    expect(reply.body).toMatchObject({
      code: 'request_invalid',
      issues: [
        { path: ['accounts', 0, 'source'] },
        { path: ['accounts', 1, 'source'] },
        { path: ['mappings', 0, 'application'] },
        {
          path: ['mappings', 1, 'account'],
          says: 'is needed, because the person has several accounts in "warehouse"',
        },
        { path: ['mappings', 2, 'account'] },
        { path: ['mappings', 3, 'source'] },
        { path: ['mappings', 5, 'application'] },
      ],
    });
    expect((await get('/v1/identities/fay')).status).toBe(404);
  });

  test(keeps('unlinking an account deletes its mapping', 32), async () => {
    await put('gus', {
      accounts: [account('warehouse', 'gus')],
      mappings: [{ application: 'reports' }],
    });
    const target = '/v1/identities/gus/accounts?source=warehouse&name=gus';
    expect((await api.send('DELETE', target)).status).toBe(204);
    expect((await get('/v1/identities/gus')).body).toMatchObject({ accounts: [], mappings: [] });
    expect((await api.send('DELETE', target)).status).toBe(404);
    const { rows } = await api.database.pool.query(
      `select detail from audit where action = 'account.unlinked'`,
    );
    expect(rows).toMatchObject([{ detail: { source: 'warehouse', account: 'gus' } }]);
  });

  test('a person is deleted with links and changes, and the audit keeps the name', async () => {
    const accounts = [account('directory', 'uid=del', { primary: true })];
    await put('del', { accounts, attributes: { mail: 'del@x' } });
    const body = { identity: 'del', password: 'correct horse battery staple' };
    const { body: change } = await api.send('POST', '/v1/changes', { body });
    const remove = () => api.send('DELETE', '/v1/identities/del');
    expect((await remove()).body).toMatchObject({ status: 409, code: 'change_open' });
    await ended(api.database.db, String(change.id), { state: 'cancelled', reason: null });
    expect((await remove()).status).toBe(204);
    expect((await remove()).status).toBe(404);
    expect((await get('/v1/identities/del')).status).toBe(404);
    expect((await get(`/v1/changes/${String(change.id)}`)).status).toBe(404);
    const { body: audit } = await get('/v1/audit?action=identity.deleted');
    expect(audit.records).toMatchObject([{ person: 'del', says: 'The person del was deleted.' }]);
    expect((await put('another', { accounts })).status).toBe(200);
  });

  describe('a search', () => {
    const found = async (search: string, key?: string) => {
      const path = `/v1/identities?search=${encodeURIComponent(search)}`;
      const { body } = await api.send('GET', path, key === undefined ? {} : { key });
      return (body.identities as { name: string }[]).map(({ name }) => name);
    };

    beforeAll(async () => {
      await put('Hana_Search', {
        attributes: { mail: 'Hana@Search.example', title: '70% Möller' },
        accounts: [account('directory', 'uid=hs-one'), account('ledger', 'HS-Ledger')],
      });
      await put('ian.search', { accounts: [account('crm', 'is-crm')] });
    });

    test.each([
      ['a part of the name', 'hana_s', ['Hana_Search']],
      ['a mail address in another case', 'HANA@search.EXAMPLE', ['Hana_Search']],
      ['an account name in another case', 'hs-LEDGER', ['Hana_Search']],
      ['letters that are not ASCII, in another case', 'MÖLLER', ['Hana_Search']],
      ['a per cent sign, which is no wildcard', '70%', ['Hana_Search']],
      ['a per cent sign between letters, which is no wildcard', 'h%h', []],
      ['an underscore, which is no wildcard', 'n_search', []],
      ['text that several people have', 'search', ['Hana_Search', 'ian.search']],
      ['the name of an attribute, which is not searched', 'title', []],
    ])('finds people by %s', async (_what, search, people) => {
      expect(await found(search)).toEqual(people);
    });

    test('is answered page by page', async () => {
      const { body } = await get('/v1/identities?search=search&limit=1');
      expect(body).toMatchObject({ identities: [{ name: 'Hana_Search' }], next: 'Hana_Search' });
      const rest = await get('/v1/identities?search=search&limit=1&cursor=Hana_Search');
      expect(rest.body).toMatchObject({ identities: [{ name: 'ian.search' }], next: null });
    });

    test('of a key that is bound to groups finds no person by an account that the key may not see', async () => {
      const key = await api.newKey(['help-desk'], ['one-password']);
      expect(await found('hs-one', key)).toEqual(['Hana_Search']);
      expect(await found('hs-ledger', key)).toEqual([]);
    });
  });

  test('people are listed page by page in the order of their names', async () => {
    for (const name of ['page-a', 'page-b', 'page-c']) await put(name, {});
    const names: string[] = [];
    let cursor = '';
    do {
      const { body } = await get(`/v1/identities?limit=2${cursor}`);
      names.push(...(body.identities as { name: string }[]).map(({ name }) => name));
      cursor = body.next === null ? '' : `&cursor=${encodeURIComponent(String(body.next))}`;
    } while (cursor !== '');
    expect(names).toEqual([...new Set(names)].sort());
    expect(names).toEqual(expect.arrayContaining(['page-a', 'page-b', 'page-c']));
  });
});
