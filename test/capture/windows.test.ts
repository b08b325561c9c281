import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type Call, openLsass, type PlayedLsass, SUPPORT, sids } from '../support/lsass';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { openWindows, tablesOf, type Windows, type WindowsProcess } from '../support/windows';

const MINUTES = 60_000;

/** A program in wine loads the package and calls it as LSASS does; the listener of the relay receives its captures. */
describeWith(['windows'], 'the notification package of Windows', () => {
  let windows: Windows;
  let lsass: PlayedLsass;
  let listener: WindowsProcess | null = null;
  let received = '';

  beforeAll(async () => {
    windows = await openWindows();
    lsass = openLsass(windows);
    received = path.join(windows.dir, 'received');
  }, 2 * MINUTES);
  afterEach(async () => {
    if (listener !== null) {
      const gone = once(listener.child, 'exit');
      listener.child.kill('SIGKILL');
      await gone;
    }
    listener = null;
    rmSync(received, { force: true });
  });
  afterAll(() => windows.stop());

  async function listen({ owner = sids.administrators as string | null, mode = 'relay' } = {}) {
    const started = windows.start(windows.node, path.join(SUPPORT, 'listen.cjs'), received, mode);
    listener = started;
    await until(() => started.printed().includes('up'));
    if (owner !== null) await lsass.givePipeTo(owner);
  }
  const handedOver = (): readonly Record<string, string>[] =>
    existsSync(received)
      ? readFileSync(received, 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line))
      : [];

  test('the package exports the three functions that LSASS needs, and imports none that allocate memory or use a network', () => {
    const tables = tablesOf(lsass.dll);
    const exported = [...tables.matchAll(/^\t\[ *\d+\] (\w+)$/gm)].map(([, name]) => name);
    expect(exported).toEqual(['InitializeChangeNotify', 'PasswordChangeNotify', 'PasswordFilter']);
    const imports = Object.fromEntries(
      [...tables.matchAll(/DLL Name: (\S+)\n.*\n((?:\t[0-9a-f]+\t.*\n)+)/g)].map(
        ([, library = '', lines = '']) => [library, lines.match(/[A-Za-z]\w+$/gm)],
      ),
    );
    expect(Object.keys(imports).sort()).toEqual(['ADVAPI32.dll', 'KERNEL32.dll', 'msvcrt.dll']);
    expect(imports['msvcrt.dll']).toEqual(['memcpy']);
    expect(imports['KERNEL32.dll']?.join()).not.toMatch(/Alloc|Load|Thread|Process|Map/);
  });

  test('the package hands over a changed password byte for byte', async () => {
    await listen();
    const began = Date.now();
    const words = [
      '"quoted" \\ \'and\' back',
      'Grüße an 🔐 Schlüssel',
      'one\nand\ttwo\r\nlines',
      `${'x'.repeat(255)}!`,
      '密'.repeat(256),
    ];
    const answers = await lsass.change(words.map((word) => ['Jürgen.Müller', word]));
    expect(answers.map(({ accepted, answer }) => [accepted, answer])).toEqual(
      words.map(() => [1, 0]),
    );
    expect(handedOver()).toEqual(
      words.map((password) => ({
        ...{ account: 'Jürgen.Müller', password },
        capturedAt: expect.any(String),
      })),
    );
    const times = handedOver().map(({ capturedAt = '' }) => Date.parse(capturedAt));
    for (const time of times) expect(Math.abs(time - began)).toBeLessThan(MINUTES);
  });

  test('the package leaves no copy of a password in the memory of its process', async () => {
    await listen();
    const words = ['Wherever it went, it is gone 1', 'Als wäre es nie hier gewesen 🔐 2'];
    const calls: Call[] = words.map((word) => ['alice', word]);
    expect((await lsass.change(calls)).map(({ copies }) => copies)).toEqual([0, 0]);
    expect(handedOver()).toHaveLength(2);
  });

  test('the package hands over many passwords at the same time, each complete', async () => {
    await listen();
    const calls = Array.from(
      { length: 32 },
      (_, at): Call => [`person-${at}`, `${at}`.repeat(100)],
    );
    const missing = () => {
      const arrived = new Set(handedOver().map(({ account }) => account));
      return calls.filter(([account]) => !arrived.has(String(account)));
    };
    // On a busy machine some calls reach the limit of half a second; a controller would lose these passwords.
    await until(async () => {
      const answers = await lsass.changeAtOnce(missing());
      expect(answers.every(({ answer }) => answer === 0)).toBe(true);
      return missing().length === 0;
    });
    const pairs = handedOver().map(({ account, password }) => [account, password]);
    expect(pairs.sort()).toEqual([...calls].sort());
  });

  test('the package ignores computers, trusts and krbtgt accounts, but not people with similar names', async () => {
    await listen();
    const ignored = ['WS01$', 'TRUSTED$', 'krbtgt', 'KRBTGT', 'krbtgt_23456'];
    const people = ['krbtgt_', 'krbtgts', 'krbtgt_a1', 'a$b', 'x'];
    await lsass.change([...ignored, ...people].map((name) => [name, 'Some word of theirs']));
    expect(handedOver().map(({ account }) => account)).toEqual(people);
  });

  test('a call with missing, empty, overlong or invalid text hands nothing over and does not fail the change', async () => {
    await listen();
    const calls: Call[] = [
      ...([
        [null, null],
        ['alice', null],
        [null, 'Whose is this?'],
        ['', 'Whose is this?'],
      ] as const),
      ...([
        ['alice', ''],
        ['alice', 'half of a pair \ud83d alone'],
      ] as const),
      ['alice', 'far too long '.repeat(2000)],
      ['far too long '.repeat(200), 'Whose is this?'],
    ];
    const answers = await lsass.change(calls);
    expect(answers.map(({ accepted, answer }) => [accepted, answer])).toEqual(
      calls.map(() => [1, 0]),
    );
    expect(handedOver()).toEqual([]);
  });

  test.each([
    ['another user', sids.anotherUser],
    ['the user who created it', null],
  ])('a pipe that is owned by %s receives nothing', async (_whose, owner) => {
    await listen({ owner });
    const [answer] = await lsass.change([['alice', 'A word that no other user sees']]);
    expect(answer).toMatchObject({ accepted: 1, answer: 0 });
    expect(handedOver()).toEqual([]);
  });

  test.each([
    ['LocalSystem', sids.localSystem],
    ['the administrators', sids.administrators],
  ])('a pipe that is owned by %s receives captures', async (_whose, owner) => {
    await listen({ owner });
    await lsass.change([['alice', 'It is for them']]);
    expect(handedOver()).toHaveLength(1);
  });

  test('the change succeeds while no relay listens', async () => {
    const [answer] = await lsass.change([['alice', 'No relay is listening']]);
    expect(answer).toMatchObject({ accepted: 1, answer: 0 });
  });

  test('a relay that does not answer delays no change beyond the deadline', async () => {
    await listen({ mode: 'deaf' });
    const answers = await lsass.change([
      ['alice', 'It goes on without'],
      ['bob', 'It goes on without, too'],
    ]);
    for (const { answer, ms } of answers) expect([answer, ms < 2_000]).toEqual([0, true]);
  });

  test('a second relay on the same pipe is refused with a message', async () => {
    await listen();
    const second = windows.run(windows.node, path.join(SUPPORT, 'listen.cjs'), received, 'relay');
    await expect(second).rejects.toThrow('Another relay listens on \\\\.\\pipe\\lockstep');
  });
});
