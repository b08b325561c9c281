import { sql } from 'kysely';
import { startTestLookup, type TestLookup } from '../support/lookup';
import { describeWith } from '../support/servers';

const source = 'warehouse';
const peopleGroups = {
  tellers: { identities: ['alice', 'bob'] },
  bankers: { attributes: { department: 'bank' } },
};
const till = {
  source,
  type: 'group',
  shared: [
    { group: 'bankers', identity: 'till-2' },
    { group: 'tellers', identity: 'till-1' },
  ],
};

describeWith(['postgres'], 'an application whose people share accounts', () => {
  let lookup: TestLookup;

  beforeAll(async () => {
    lookup = await startTestLookup({
      people: ['alice', 'bob', 'carol', 'till-1', 'till-2'],
    });
    await lookup.configure({ till, off: { ...till, enabled: false } }, { peopleGroups });
    await sql`update identity set attributes = '{"department": "bank"}' where name = 'bob'`.execute(
      lookup.database.db,
    );
    for (const application of ['till', 'off'])
      for (const identity of ['till-1', 'till-2'])
        await lookup.store(identity, application, `word of ${identity}`);
    await lookup.store('carol', 'till', 'her own');
  });
  afterAll(() => lookup.stop());

  const get = async (person: string, application = 'till') =>
    (await lookup.send(person, 'GET', `/v1/credentials/${application}`)).body;

  test('the first group that contains the person decides whose account is returned', async () => {
    expect(await get('alice')).toMatchObject({ userId: 'till-1', password: 'word of till-1' });
    expect(await get('bob')).toMatchObject({ userId: 'till-2', password: 'word of till-2' });
  });

  test('a person in none of the groups gets nothing, not even a credential of their own', async () => {
    await lookup.audited();
    expect((await get('carol')).code).toBe('lookup_refused');
    expect((await get('alice', 'off')).code).toBe('lookup_refused');
    expect((await lookup.audited()).map(({ detail }) => detail.reason)).toEqual([
      ...['no_shared_account', 'application_disabled'],
    ]);
  });

  test('the audit names the person who looked up and the shared account', async () => {
    await lookup.audited();
    await get('alice');
    const { rows } = await sql<{ id: string }>`
      select id from identity where name = 'alice'`.execute(lookup.database.db);
    expect(await lookup.audited()).toMatchObject([
      { action: 'credential.read', detail: { account: 'till-1', identity: rows[0]?.id } },
    ]);
  });
});
