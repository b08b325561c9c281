import type { PythonModules } from '../../local/wheels';
import { scopeNames } from '../../model/api/scopes';
import { startTestApi, type TestApi } from '../support/api';
import { addPerson, applyTestConfiguration } from '../support/played-worker';
import { checkApi, fetchSchemathesis } from '../support/schemathesis/run';
import { describeWith } from '../support/servers';

describeWith(['postgres'], 'the API, as schemathesis sees it,', () => {
  let api: TestApi;
  let python: PythonModules;

  beforeAll(async () => {
    python = await fetchSchemathesis((line) => process.stderr.write(`${line}\n`));
    api = await startTestApi();
    await applyTestConfiguration(api.database.db);
    await addPerson(api.database.db, 'alice');
  }, 300_000);
  afterAll(() => api.stop());

  test('answers a key of each scope as the OpenAPI document describes, and no request without a key', async () => {
    const keys = await Promise.all(scopeNames.map((scope) => api.newKey([scope])));
    // Every other request has all rights, so that it gets as far as its body allows.
    const inTurn = keys.flatMap((key) => [api.adminKey(), key]);
    const { passed, printed } = await checkApi(python, api.url, inTurn);
    expect(passed ? '' : printed).toBe('');
    expect(Number(/(\d+) generated/.exec(printed)?.[1])).toBeGreaterThan(100);
    // The keys were really sent, and each of them lacks a right of some route.
    for (const status of [200, 400, 401, 403, 404])
      expect(api.printed()).toContain(`"status":${status}`);
  }, 3_600_000);
});
