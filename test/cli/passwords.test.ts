import { mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startTestApi, type TestApi } from '../support/api';
import { addPerson, applyTestConfiguration } from '../support/played-worker';
import { describeWith } from '../support/servers';
import { openedOf } from './accepted';
import { lockstepAt } from './run-cli';

const PASSWORD = 'correct horse battery staple';

describeWith(['postgres'], 'the password of lockstep change', () => {
  let api: TestApi;
  let people = 0;
  const lockstep = lockstepAt(() => api);

  beforeAll(async () => {
    api = await startTestApi();
    await applyTestConfiguration(api.database.db);
  });
  afterAll(() => api.stop());

  async function person(sources?: readonly string[]): Promise<string> {
    const name = `person-${++people}`;
    await addPerson(api.database.db, name, sources);
    return name;
  }

  test.each([
    ['quotes and backslashes', 'quote" back\\slash \\" {"a": 1}'],
    ['emoji and umlauts', 'Zürich 🔑 👩‍👩‍👧 naïve'],
    ['256 characters', `${'ü🔑'.repeat(127)}12`],
    ['leading and trailing blanks', '  correct horse battery  '],
  ])('lockstep change passes a piped password on byte for byte: %s', async (_what, password) => {
    const alice = await person(password.length > 100 ? ['ledger', 'vault'] : undefined);
    const { code } = await lockstep(['change', alice, '--wait', '0'], { stdin: `${password}\n` });
    expect(code).toBe(4);
    expect(await openedOf(api, alice)).toEqual([password, null]);
  });

  test('lockstep change accepts a piped password with a Windows line end or none', async () => {
    for (const end of ['', '\r\n']) {
      const alice = await person();
      await lockstep(['change', alice, '--wait', '0'], { stdin: PASSWORD + end });
      expect(await openedOf(api, alice)).toEqual([PASSWORD, null]);
    }
  });

  test('lockstep change --current reads the current password from the second line of stdin or of a file', async () => {
    const [alice, bob] = [await person(), await person()];
    const lines = `${PASSWORD}\nthe one before\n`;
    await lockstep(['change', alice, '--current', '--wait', '0'], { stdin: lines });
    const file = path.join(mkdtempSync(path.join(os.tmpdir(), 'lockstep-cli-')), 'passwords');
    writeFileSync(file, lines);
    const args = ['change', bob, '--current', '--password-file', file, '--wait', '0'];
    await lockstep(args);
    for (const who of [alice, bob])
      expect(await openedOf(api, who)).toEqual([PASSWORD, 'the one before']);
  });

  test.each([
    ['nothing', [], '', 'stdin holds no new password: line 1 is empty.'],
    ['two lines instead of one', [], 'one\ntwo\n', 'stdin holds more than one line'],
    ['no current password', ['--current'], 'one\n', 'stdin holds no current password'],
    ['a byte order mark', [], '\ufeffpassword', 'begins with a byte order mark'],
    ['bytes that are not UTF-8', [], Buffer.of(0x61, 0xff), 'stdin is not UTF-8 text.'],
    ['more than 32 KiB', [], 'x'.repeat(50_000), 'too long for a password.'],
  ])(
    'lockstep change refuses stdin with %s and sends nothing',
    async (_what, more, stdin, says) => {
      const alice = await person();
      const { code, stderr } = await lockstep(['change', alice, ...more], { stdin });
      expect(code).toBe(2);
      expect(stderr).toContain(says);
      const { body } = await api.send('GET', `/v1/changes?identity=${alice}`);
      expect(body.changes).toEqual([]);
    },
  );
});
