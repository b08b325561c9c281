import { accountRulesOf } from '../../connectors/registry';
import { policyRulesSchema } from '../../model/policy/schema';
import { applyConfiguration } from '../../store/configuration/versions';
import { startTestApi, type TestApi } from '../support/api';
import {
  addPerson,
  applyTestConfiguration,
  ended,
  testConfiguration,
} from '../support/played-worker';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';

const PASSWORD = 'correct horse battery staple';

describeWith(['postgres'], 'a repeated request', () => {
  let api: TestApi;
  let count = 0;

  beforeAll(async () => {
    api = await startTestApi();
    await applyTestConfiguration(api.database.db);
    await addPerson(api.database.db, 'alice');
    await addPerson(api.database.db, 'bob');
  });
  afterAll(() => api.stop());

  const fresh = () => `key-${++count}`;
  const send = (idempotencyKey: string, body: object = {}, key?: string, prefer = '') =>
    api.send('POST', '/v1/changes', {
      body: { identity: 'alice', password: PASSWORD, ...body },
      headers: { 'idempotency-key': idempotencyKey, prefer },
      ...(key === undefined ? {} : { key }),
    });
  const accepted = async () => (await api.database.pool.query('select from change')).rowCount;

  test('a repeated request returns the same change and a replay header', async () => {
    const key = fresh();
    const first = await send(key);
    const again = await send(key);
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    expect(again.status).toBe(202);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
    expect(again.body).toEqual(first.body);
  });

  test('twenty identical requests at once become one change', async () => {
    const key = fresh();
    const before = await accepted();
    const replies = await Promise.all([...Array(20).keys()].map(() => send(key)));
    expect(replies.map(({ status }) => status)).toEqual(Array(20).fill(202));
    expect(new Set(replies.map(({ body }) => body.id)).size).toBe(1);
    expect(
      replies.filter((reply) => reply.headers.get('idempotency-replayed') === null),
    ).toHaveLength(1);
    expect(await accepted()).toBe((before ?? 0) + 1);
  });

  test('a repeated request returns how the change ended', async () => {
    const key = fresh();
    const { body } = await send(key);
    await ended(api.database.db, String(body.id), { state: 'done', reason: null });
    const again = await send(key);
    expect(again.status).toBe(200);
    expect(again.body).toMatchObject({ id: body.id, state: 'done' });
    const refused = fresh();
    const { body: other } = await send(refused);
    await ended(api.database.db, String(other.id), { state: 'refused', reason: 'policy_history' });
    expect((await send(refused)).body).toMatchObject({
      code: 'auth_account_refused',
      reason: 'policy_history',
    });
  });

  test.each<[string, object]>([
    ['another password', { password: `${PASSWORD}.` }],
    ['another person', { identity: 'bob' }],
    ['another current password', { currentPassword: 'x' }],
    ['another group', { group: 'one-password' }],
    [
      'another way to name the person',
      { identity: undefined, account: { source: 'directory', name: 'alice' } },
    ],
    ['a password that breaks the policy', { password: 'short' }],
  ])('a request under the same key with %s is rejected', async (_what, body) => {
    const key = fresh();
    await send(key);
    const before = await accepted();
    expect((await send(key, body)).body).toMatchObject({
      status: 422,
      code: 'idempotency_conflict',
    });
    expect(await accepted()).toBe(before);
  });

  test(
    keeps('a repeated request is recognised even if the policy has become stricter', 9),
    async () => {
      const key = fresh();
      const { body } = await send(key);
      const { db } = api.database;
      const staff = { ...testConfiguration.policies.staff, minLength: 90 };
      const policies = { ...testConfiguration.policies, staff: policyRulesSchema.parse(staff) };
      await applyConfiguration(db, { ...testConfiguration, policies }, 1, 'test', accountRulesOf);
      expect((await send(fresh())).body).toMatchObject({ code: 'password_against_policy' });
      expect((await send(key)).body).toMatchObject({ id: body.id });
      await applyConfiguration(db, testConfiguration, 2, 'test', accountRulesOf);
    },
  );

  test('the same idempotency key of another API key starts another change', async () => {
    const key = fresh();
    const mine = await send(key);
    const theirs = await send(key, {}, await api.newKey(['trigger']));
    expect(theirs.status).toBe(202);
    expect(theirs.body.id).not.toBe(mine.body.id);
  });

  test('a rejected request does not use up its idempotency key', async () => {
    const key = fresh();
    expect((await send(key, { password: 'short' })).status).toBe(422);
    expect((await send(key)).status).toBe(202);
  });
});
