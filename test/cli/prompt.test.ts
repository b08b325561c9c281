import { reportPresence } from '../../store/presence';
import { startTestApi, type TestApi } from '../support/api';
import {
  addPerson,
  applyTestConfiguration,
  ended,
  planned,
  settled,
} from '../support/played-worker';
import { describeWith } from '../support/servers';
import { changeOf, openedOf } from './accepted';
import { connectionTo, hasScript, lockstepAtTerminal, type Running, shown } from './run-cli';

const PASSWORD = 'correct Zürich 🔑 "battery" \\ staple';

const describeAtTerminal = hasScript
  ? describeWith
  : (_names: readonly string[], title: string, suite: () => void) =>
      describe.skip(`${title} (skipped: no "script" of util-linux)`, suite);

describeAtTerminal(['postgres'], 'lockstep change at a terminal', () => {
  let api: TestApi;
  let people = 0;

  beforeAll(async () => {
    api = await startTestApi();
    await applyTestConfiguration(api.database.db);
  });
  beforeEach(() => reportPresence(api.database.db, 'test'));
  afterAll(() => api.stop());

  async function person(): Promise<string> {
    const name = `person-${++people}`;
    await addPerson(api.database.db, name);
    return name;
  }

  const atTerminal = (
    args: readonly string[],
    during: (running: Running) => Promise<void>,
    columns = 80,
  ) => lockstepAtTerminal(args, { env: connectionTo(api), during, columns });

  const changesOf = async (who: string) =>
    (await api.send('GET', `/v1/changes?identity=${who}`)).body.changes as unknown[];

  test('lockstep change asks twice for the password, never shows it, and sends it byte for byte', async () => {
    const alice = await person();
    const { code, stdout } = await atTerminal(
      ['change', alice, '--current', '--wait', '0'],
      async (running) => {
        await shown(running, `Current password of ${alice}: `);
        running.type('the one before\r');
        await shown(running, `New password of ${alice}: `);
        running.type(`slip\x15${PASSWORD}x\x7f\r`);
        await shown(running, 'Repeat the new password: ');
        running.type(`${PASSWORD}\r`);
      },
    );
    expect(code).toBe(4);
    for (const part of ['correct', 'battery', 'slip', 'before', '*'])
      expect(stdout).not.toContain(part);
    expect(await openedOf(api, alice)).toEqual([PASSWORD, 'the one before']);
  });

  test('lockstep change accepts both answers pasted at once', async () => {
    const alice = await person();
    await atTerminal(['change', alice, '--wait', '0'], async (running) => {
      await shown(running, 'New password');
      running.type(`${PASSWORD}\r${PASSWORD}\r`);
    });
    expect(await openedOf(api, alice)).toEqual([PASSWORD, null]);
  });

  test.each([
    ['Ctrl-C', `${PASSWORD}\r`, 'corr\x03', 'Stopped. Nothing was sent.'],
    ['Ctrl-D', `${PASSWORD}\r`, '\x04', 'Stopped. Nothing was sent.'],
    [
      'bytes that are not UTF-8',
      Buffer.of(0xff, 0x0d),
      Buffer.of(0xff, 0x0d),
      'does not send UTF-8',
    ],
  ])('lockstep change sends nothing after %s, and says so', async (_what, first, second, says) => {
    const alice = await person();
    const { code, stdout } = await atTerminal(['change', alice], async (running) => {
      await shown(running, 'New password');
      running.type(first);
      await shown(running, 'Repeat the new password');
      running.type(second);
    });
    expect([code, await changesOf(alice)]).toEqual([1, []]);
    expect(stdout).toContain(says);
    expect(stdout).not.toContain('correct');
  });

  test('lockstep change shows the rules first, and asks again after a mistyped or empty password', async () => {
    const alice = await person();
    const { code, stdout } = await atTerminal(['change', alice, '--wait', '0'], async (running) => {
      await shown(running, 'New password');
      expect(running.printed()).toMatch(/Passwords of the group [\w-]+: .*characters/);
      running.type(`${PASSWORD}\r${PASSWORD}2\r`);
      await shown(running, 'The two passwords differ. Try again.');
      running.type('\r\r');
      await shown(running, 'The password is empty. Try again.');
      running.type(`${PASSWORD}\r${PASSWORD}\r`);
    });
    expect(code).toBe(4);
    expect(stdout).not.toContain('correct');
    expect(await openedOf(api, alice)).toEqual([PASSWORD, null]);
  });

  test('lockstep change sends nothing after a password that was mistyped three times', async () => {
    const alice = await person();
    const { code, stdout } = await atTerminal(['change', alice], async (running) => {
      await shown(running, 'New password');
      running.type(`${PASSWORD}\r${PASSWORD}2\r`.repeat(3));
    });
    expect([code, await changesOf(alice)]).toEqual([1, []]);
    expect(stdout).toContain('Nothing was sent.');
  });

  test('lockstep change asks for no password of a person that does not exist', async () => {
    const { code, stdout } = await atTerminal(['change', 'no-such-person'], async () => {});
    expect(code).toBe(1);
    expect(stdout).not.toContain('New password');
  });

  test('lockstep change --watch shows a row for each account, then the reasons', async () => {
    const alice = await person();
    const refused = { state: 'rejected', reason: 'policy_too_short', proof: 'none' } as const;
    const { code, stdout } = await atTerminal(
      ['change', alice, '--watch'],
      async (running) => {
        await shown(running, 'New password');
        running.type(`${PASSWORD}\r${PASSWORD}\r`);
        const id = await changeOf(api, alice);
        await shown(running, 'accepted, not started');
        await planned(api.database.db, id, alice);
        await settled(api.database.db, id, 'directory');
        await shown(running, 'directory (auth)');
        await settled(api.database.db, id, 'warehouse', refused);
        await ended(api.database.db, id, { state: 'partial', reason: null });
      },
      100,
    );
    expect(code).toBe(3);
    const lines = stdout.replaceAll(ESCAPES, '').split(/\r?\n/);
    expect(lines).toContain(
      `✔ directory (auth)  ${alice}  holds the new password, verified by a login`,
    );
    expect(lines).toContain(
      `✖ warehouse         ${alice}  rejected by its source: policy too short; keeps its password`,
    );
    expect(lines).toContain(
      '  warehouse: The source rejects the password as too short. Choose a longer one.',
    );
  });

  test('lockstep change --watch prints no colours if NO_COLOR is set', async () => {
    const alice = await person();
    const env = { ...connectionTo(api), NO_COLOR: '1', TERM: 'xterm-256color' };
    const { stdout } = await lockstepAtTerminal(['change', alice, '--watch'], {
      env,
      during: async (running) => {
        await shown(running, 'New password');
        running.type(`${PASSWORD}\r${PASSWORD}\r`);
        const id = await changeOf(api, alice);
        await planned(api.database.db, id, alice);
        await settled(api.database.db, id, 'directory');
        await shown(running, 'directory (auth)');
        await settled(api.database.db, id, 'warehouse');
        await ended(api.database.db, id, { state: 'done', reason: null });
      },
    });
    expect(stdout).toContain('(2 of 2)');
    expect(stdout).not.toMatch(COLOURS);
  });

  test('lockstep change --watch says after Ctrl-C how to follow the change, which continues', async () => {
    const alice = await person();
    const { code, stdout } = await atTerminal(['change', alice, '--watch'], async (running) => {
      await shown(running, 'New password');
      running.type(`${PASSWORD}\r${PASSWORD}\r`);
      await planned(api.database.db, await changeOf(api, alice), alice);
      await shown(running, 'directory (auth)');
      running.type('\x03');
    });
    expect(code).toBe(4);
    expect(stdout).toContain(`lockstep status ${await changeOf(api, alice)} --watch`);
  });
});

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
const COLOURS = /\x1b\[[\d;]*m/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
const ESCAPES = /\x1b\[[\d;?]*[A-Za-z]/g;
