import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { accountRulesOf } from '../../connectors/registry';
import { configurationSchema } from '../../model/configuration/document';
import { applyConfiguration } from '../../store/configuration/versions';
import { openedOf } from '../cli/accepted';
import { startTestApi, type TestApi } from '../support/api';
import { addPerson, testConfiguration } from '../support/played-worker';
import { describeWith } from '../support/servers';

const program = path.resolve(__dirname, '../../docs/examples/send_capture.py');
const WORD = 'it\'s "quoted" \\ 🔐\nand long enough';

/** The example program of the documentation. */
describeWith(['postgres'], 'send_capture.py', () => {
  let api: TestApi;
  let keyFile: string;

  beforeAll(async () => {
    api = await startTestApi();
    const { warehouse, ...sources } = testConfiguration.sources;
    const capture = { enabled: true, verifyCurrent: false };
    const configuration = {
      ...testConfiguration,
      sources: { ...sources, warehouse: { ...warehouse, capture } },
    };
    const { db } = api.database;
    await applyConfiguration(
      db,
      configurationSchema.parse(configuration),
      0,
      'test',
      accountRulesOf,
    );
    await addPerson(db, 'alice');
    keyFile = path.join(api.dir, 'capture-key');
    writeFileSync(keyFile, `${await api.newKey(['capture'])}\n`, { mode: 0o600 });
  });
  afterAll(() => api.stop());

  let sequence = 4711;
  async function send(account: string, word: string) {
    const child = spawn('python3', [
      program,
      api.url,
      keyFile,
      'warehouse',
      account,
      `${sequence++}`,
    ]);
    child.stdin.end(word);
    const [out, error] = [text(child.stdout), text(child.stderr)];
    const [code] = (await once(child, 'exit')) as [number];
    return { code, says: (await out).trim(), error: (await error).trim() };
  }

  test('the example has at most 32 lines', () => {
    expect(readFileSync(program, 'utf8').split('\n').length).toBeLessThanOrEqual(32);
  });

  test('the example retries until the API answers, and transmits the password unchanged', async () => {
    await api.stopProcess();
    const sending = send('alice', WORD);
    await api.restart();
    const { code, says } = await sending;
    expect([code, says]).toEqual([0, expect.stringMatching(/^change chg_/)]);
    expect(await openedOf(api, 'alice')).toEqual([WORD, null]);
  });

  test('the example prints why a capture starts no change, and why one is rejected for good', async () => {
    expect(await send('nobody', WORD)).toMatchObject({
      ...{ code: 0, says: expect.stringContaining('The account is not linked') },
    });
    const refused = await send('alice', 'short');
    expect([refused.code, refused.error]).toEqual([1, expect.stringMatching(/policy/i)]);
  });
});
