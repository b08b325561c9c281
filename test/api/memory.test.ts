import { startTestApi, type TestApi } from '../support/api';
import { addPerson, applyTestConfiguration } from '../support/played-worker';
import { countInMemory } from '../support/process-memory';
import { describeWith } from '../support/servers';
import { until } from '../support/until';

const linux = process.platform === 'linux' ? test : test.skip;

describeWith(['postgres'], 'the memory of the api', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi();
    await applyTestConfiguration(api.database.db);
    await addPerson(api.database.db, 'alice');
  });
  afterAll(() => api.stop());

  /** One copy remains in the receive buffer of the socket until the next request arrives. */
  const COPIES = 1;

  linux.each<[string, (password: string) => string, number]>([
    ['that was accepted', (password) => `{"identity":"alice","password":"${password}"}`, 202],
    ['for an unknown person', (password) => `{"identity":"nobody","password":"${password}"}`, 404],
    ['in a body with something after it', (password) => `{"password":"${password}"} x`, 400],
    ['in a body that ends too early', (password) => `{"password":"${password}`, 400],
    ['in a body without a person', (password) => `{"password":"${password}"}`, 400],
    ['in a body that is too large', (password) => `"${password}${'x'.repeat(17_000)}"`, 400],
    ['that came without a key', (password) => `{"password":"${password}"}`, 401],
  ])(
    'the API keeps at most one copy of a password %s in memory',
    async (what, bodyWith, status) => {
      const password = `canary ${what} ${process.pid}`;
      for (let count = 0; count < 30; count++) {
        const body = Buffer.from(bodyWith(password));
        const key = status === 401 ? null : api.adminKey();
        const reply = await api.send('POST', '/v1/changes', { body, key });
        expect(reply.status).toBe(status);
      }
      expect(countInMemory(api.pid(), Buffer.from(password))).toBeLessThanOrEqual(COPIES);
    },
  );

  // V8 copies what is small enough to be on its heap, so a short password has cases of its own.
  linux.each([
    ['short', 'ten who wait'],
    ['long', 'canary of ten clients who wait for the end of the change'],
  ])(
    'the API keeps at most one copy of a %s password in memory while ten clients wait',
    async (_, words) => {
      const password = `${words} ${process.pid}`;
      const body = { identity: 'alice', password };
      const headers = { prefer: 'wait=2' };
      const began = Date.now();
      const waiting = [...Array(10).keys()].map(() =>
        api.send('POST', '/v1/changes', { body, headers }),
      );
      await until(async () => {
        const { body: found } = await api.send('GET', '/v1/changes?limit=10');
        const accepted = (found.changes as { createdAt: string }[]).filter(
          ({ createdAt }) => Date.parse(createdAt) >= began,
        );
        return accepted.length === 10;
      });
      expect(countInMemory(api.pid(), Buffer.from(password))).toBeLessThanOrEqual(COPIES);
      await Promise.all(waiting);
    },
  );
});
