import { accountRulesOf } from '../../connectors/registry';
import { configurationSchema } from '../../model/configuration/document';
import { applyConfiguration } from '../../store/configuration/versions';
import { startTestApi, type TestApi } from '../support/api';
import { addPerson, testConfiguration } from '../support/played-worker';
import { describeWith } from '../support/servers';
import { lockstepAt } from './run-cli';

describeWith(['postgres'], 'lockstep mappings', () => {
  let api: TestApi;
  const run = lockstepAt(() => api);
  const json = async (...args: string[]) =>
    JSON.parse((await run(['mappings', ...args, '-o', 'json'])).stdout);

  beforeAll(async () => {
    api = await startTestApi();
    const applications = { reports: { source: 'warehouse', type: 'host-group' } };
    const configuration = configurationSchema.parse({ ...testConfiguration, applications });
    await applyConfiguration(api.database.db, configuration, 0, 'test', accountRulesOf);
    for (const person of ['alice', 'bob']) await addPerson(api.database.db, person);
    const accounts = [{ source: 'warehouse', name: 'bob2' }];
    const mapped = (account: string) => ({ application: 'reports', account, enabled: false });
    const put = (person: string, body: object) =>
      api.send('PUT', `/v1/identities/${person}`, { body });
    await put('alice', { mappings: [mapped('alice')] });
    await put('bob', { accounts, mappings: [mapped('bob'), mapped('bob2')] });
  });
  afterAll(() => api.stop());

  const alice = ['alice', 'reports'];

  test('a mapping is enabled, disabled and deleted, and an enabled one is never deleted', async () => {
    expect((await run(['mappings'])).stdout).toMatch(
      /^alice +reports +warehouse +alice +disabled/m,
    );
    const enabled = await run(['mappings', 'enable', ...alice]);
    expect(enabled.stdout).toBe('Enabled the mapping of alice to alice in reports.\n');
    expect((await run(['mappings'])).stdout).toMatch(/^alice +reports +warehouse +alice +empty/m);
    const refused = await run(['mappings', 'delete', ...alice]);
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining('lockstep mappings disable'),
    ]);
    await run(['mappings', 'disable', ...alice]);
    await run(['mappings', 'delete', ...alice]);
    expect((await json('--identity', 'alice')).mappings).toEqual([]);
    const { stdout: audit } = await run(['audit', '--person', 'alice']);
    for (const says of ['Enabled', 'Disabled', 'Deleted'])
      expect(audit).toContain(
        `${says} the mapping of reports to the account alice in warehouse of alice`,
      );
  });

  test('a list is filtered by application and state, and its pages hold every mapping once', async () => {
    expect((await json('--state', 'disabled', '--identity', 'bob')).mappings).toHaveLength(2);
    expect((await json('--state', 'in_sync')).mappings).toEqual([]);
    expect((await json('--application', 'other')).mappings).toEqual([]);
    const first = await json('--identity', 'bob', '--limit', '1');
    const second = await json('--identity', 'bob', '--limit', '1', '--cursor', first.next);
    const accounts = [...first.mappings, ...second.mappings].map(({ account }) => account);
    expect([accounts.sort(), second.next]).toEqual([['bob', 'bob2'], null]);
  });

  test('a key that is bound to groups lists only mappings to sources of its groups', async () => {
    const read = async (group: string) => {
      const key = await api.newKey(['help-desk'], [group]);
      const { body } = await api.send('GET', '/v1/mappings?identity=bob', { key });
      return (body.mappings as unknown[]).length;
    };
    expect([await read('one-password'), await read('finance')]).toEqual([2, 0]);
  });

  test.each([
    ['several mappings, without an account', ['bob', 'reports'], 'Name one account: bob, bob2'],
    ['a person without a mapping', ['carol', 'reports'], 'carol has no such mapping'],
    ['an account without a mapping', ['bob', 'reports', 'bob3'], 'bob has no such mapping'],
  ])('a command that names %s changes nothing', async (_what, named, says) => {
    const ended = await run(['mappings', 'enable', ...named]);
    expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining(says)]);
    expect((await json('--state', 'empty')).mappings).toEqual([]);
  });
});
