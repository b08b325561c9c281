import { accountRulesOf } from '../../connectors/registry';
import { configurationSchema } from '../../model/configuration/document';
import { applyConfiguration } from '../../store/configuration/versions';
import { startTestApi, type TestApi } from '../support/api';
import { addPerson, testConfiguration } from '../support/played-worker';
import { describeWith } from '../support/servers';

describeWith(['postgres'], 'a request of the help desk about accounts', () => {
  let api: TestApi;
  let desk: string;

  beforeAll(async () => {
    api = await startTestApi();
    const { db } = api.database;
    const { sources } = testConfiguration;
    const crm = { ...sources.crm, enabled: false };
    const configuration = configurationSchema.parse({
      ...testConfiguration,
      sources: { ...sources, crm },
    });
    await applyConfiguration(db, configuration, 0, 'test', accountRulesOf);
    await addPerson(db, 'alice', ['directory', 'warehouse', 'crm', 'ledger']);
    await addPerson(db, 'bob', ['ledger']);
    desk = await api.newKey(['help-desk'], ['one-password']);
  });
  afterAll(() => api.stop());

  const act = (person: string, body: object = { reason: 'ticket 1' }, key = desk) =>
    api.send('POST', `/v1/identities/${person}/force-change`, { key, body });
  const accounts = ({ body }: { body: Readonly<Record<string, unknown>> }) =>
    body.accounts as { job: string; source: string; result: string | null; says: string }[];

  test('the request is accepted without a worker, for the accounts in sources of the key that are in use', async () => {
    const reply = await act('alice');
    expect(reply.status).toBe(202);
    expect(accounts(reply).map(({ source, result }) => [source, result])).toEqual([
      ['directory', null],
      ['warehouse', null],
    ]);
    const one = await act('alice', { reason: 'x', source: 'warehouse', account: 'alice' });
    expect(accounts(one).map(({ source }) => source)).toEqual(['warehouse']);
  });

  test('a bound key does not learn who exists, or which accounts a person has elsewhere', async () => {
    const unknown = { status: 404, code: 'not_found' };
    for (const [person, body] of [
      ['nobody', {}],
      ['bob', {}],
      ['alice', { source: 'ledger' }],
      ['alice', { source: 'crm' }],
      ['alice', { source: 'nothing' }],
      ['alice', { source: 'warehouse', account: 'bob' }],
    ] as const)
      expect((await act(person, { reason: 'x', ...body })).body).toMatchObject(unknown);
  });

  test.each<[string, object]>([
    ['without a reason', {}],
    ['with an empty reason', { reason: '' }],
    ['with a reason that is too long', { reason: 'x'.repeat(201) }],
    ['with an account and no source', { reason: 'x', account: 'alice' }],
    ['with an unknown member', { reason: 'x', password: 'x' }],
  ])('a request %s is refused', async (_what, body) => {
    expect((await act('alice', body)).body).toMatchObject({ status: 400 });
  });

  test('an agent sees the jobs of the own key only, and an operator sees all', async () => {
    const [first] = accounts(await act('alice'));
    const read = async (key: string) =>
      (await api.send('GET', `/v1/jobs/${first?.job}`, { key })).status;
    const another = await api.newKey(['help-desk'], ['one-password']);
    const operator = await api.newKey(['operate']);
    expect([await read(desk), await read(another), await read(operator)]).toEqual([200, 404, 200]);
    expect((await api.send('GET', `/v1/jobs/${first?.job}`)).body).not.toHaveProperty(
      'requestedBy',
    );
  });
});
