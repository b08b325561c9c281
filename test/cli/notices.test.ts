import { endAttempt } from '../../store/notices/deliveries';
import { spreadNotices } from '../../store/notices/spread';
import { reportPresence } from '../../store/presence';
import { startTestApi, type TestApi } from '../support/api';
import { describeWith } from '../support/servers';
import { lockstepAt } from './run-cli';

describeWith(['postgres'], 'lockstep notices', () => {
  let api: TestApi;
  const here = lockstepAt(() => api);

  beforeAll(async () => {
    api = await startTestApi();
    const settings = {
      host: 'mail.test',
      from: 'lockstep@corp.example',
      to: ['ops@corp.example'],
    };
    const document = {
      version: 1,
      notices: { mail: { kind: 'mail', for: ['people', 'operators'], settings } },
    };
    await api.send('POST', '/v1/configuration/apply', { body: { document, version: 0 } });
  });
  afterAll(() => api.stop());

  /** Sends due notices as a worker would, with this result, until the command has ended. */
  async function worker(over: () => boolean, refused: boolean): Promise<void> {
    const { db } = api.database;
    while (!over()) {
      await spreadNotices(db, 10, async () => () => [
        { channel: 'mail', recipient: 'ops@corp.example', reason: null },
      ]);
      const open = await db
        .selectFrom('notice_delivery')
        .select('id')
        .where('state', '=', 'waiting')
        .execute();
      for (const { id } of open)
        await endAttempt(
          db,
          id,
          refused
            ? { state: 'failed', reason: 'address_refused', nextTryInMs: null }
            : { state: 'delivered', reason: null, nextTryInMs: null },
        );
    }
  }

  test('lists nothing before there is a notice, and a channel that sent nothing is a warning of the doctor', async () => {
    expect(await here(['notices'])).toMatchObject({ code: 0, stdout: 'There is no notice.\n' });
    await reportPresence(api.database.db, 'test');
    const { stdout } = await here(['doctor']);
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
      'The channel has sent no notice yet. Run "lockstep notices test mail".',
    );
  });

  test.each([
    [false, 0, /test +mail +\d+ s ago +mail +delivered/],
    [true, 1, /failed: address refused[\s\S]*Correct the address/],
  ])('a test shows whether the notice arrived (refused: %s)', async (refused, code, shown) => {
    const result = await here(['notices', 'test', 'mail'], {
      during: ({ over }) => worker(over, refused),
    });
    expect(result.code).toBe(code);
    expect(result.stdout).toMatch(shown);
  });

  test('a test of a channel that does not exist names the section of the configuration', async () => {
    const { code, stderr } = await here(['notices', 'test', 'pager']);
    expect(code).toBe(1);
    expect(stderr).toContain('There is no channel "pager"');
  });

  test('a channel whose last notice failed fails the doctor, with what to do', async () => {
    await reportPresence(api.database.db, 'test');
    const { code, stdout } = await here(['doctor']);
    expect(code).toBe(1);
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('1 failed within the last day.');
  });
});
