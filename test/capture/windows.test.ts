import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type Call, openLsass, type PlayedLsass, SUPPORT, sids } from '../support/lsass';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { openWindows, tablesOf, type Windows, type WindowsProcess } from '../support/windows';

const MINUTES = 60_000;

/** Loaded by a program that calls it as LSASS does, in wine; what it hands over is taken by the code of the relay there. */
describeWith(['windows'], 'the notification package of Windows', () => {
  let windows: Windows;
  let lsass: PlayedLsass;
  let listener: WindowsProcess | null = null;
  let taken = '';

  beforeAll(async () => {
    windows = await openWindows();
    lsass = openLsass(windows);
    taken = path.join(windows.dir, 'taken');
  }, 2 * MINUTES);
  afterEach(async () => {
    if (listener !== null) {
      const gone = once(listener.child, 'exit');
      listener.child.kill('SIGKILL');
      await gone;
    }
    listener = null;
    rmSync(taken, { force: true });
  });
  afterAll(() => windows.stop());

  async function listen({ owner = sids.administrators as string | null, mode = 'relay' } = {}) {
    const started = windows.start(windows.node, path.join(SUPPORT, 'listen.cjs'), taken, mode);
    listener = started;
    await until(() => started.printed().includes('up'));
    if (owner !== null) await lsass.givePipeTo(owner);
  }
  const handedOver = (): readonly Record<string, string>[] =>
    existsSync(taken)
      ? readFileSync(taken, 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line))
      : [];

  test('has the three functions that LSASS looks up, and neither allocates nor speaks to a network', () => {
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

  test('hands over what somebody changed, byte for byte', async () => {
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

  test('leaves no copy of a password in the memory of its process', async () => {
    await listen();
    const words = ['Wherever it went, it is gone 1', 'Als wäre es nie hier gewesen 🔐 2'];
    const calls: Call[] = words.map((word) => ['alice', word]);
    expect((await lsass.change(calls)).map(({ copies }) => copies)).toEqual([0, 0]);
    expect(handedOver()).toHaveLength(2);
  });

  test('many at once are handed over, each whole', async () => {
    await listen();
    const calls = Array.from(
      { length: 32 },
      (_, at): Call => [`person-${at}`, `${at}`.repeat(100)],
    );
    const answers = await lsass.changeAtOnce(calls);
    expect(answers.every(({ answer }) => answer === 0)).toBe(true);
    const pairs = handedOver().map(({ account, password }) => [account, password]);
    expect(pairs.sort()).toEqual([...calls].sort());
  });

  test('computers, trusts and what signs tickets are no people; names like theirs are', async () => {
    await listen();
    const nobody = ['WS01$', 'TRUSTED$', 'krbtgt', 'KRBTGT', 'krbtgt_23456'];
    const people = ['krbtgt_', 'krbtgts', 'krbtgt_a1', 'a$b', 'x'];
    await lsass.change([...nobody, ...people].map((name) => [name, 'Some word of theirs']));
    expect(handedOver().map(({ account }) => account)).toEqual(people);
  });

  test('where LSASS gives nothing, or what is no text, the change goes on and nothing is handed over', async () => {
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
    ['somebody', sids.somebody],
    ['nobody', null],
  ])('a pipe that belongs to %s is told nothing', async (_whose, owner) => {
    await listen({ owner });
    const [answer] = await lsass.change([['alice', 'It is none of theirs']]);
    expect(answer).toMatchObject({ accepted: 1, answer: 0 });
    expect(handedOver()).toEqual([]);
  });

  test.each([
    ['LocalSystem', sids.localSystem],
    ['the administrators', sids.administrators],
  ])('a pipe that belongs to %s is that of the relay', async (_whose, owner) => {
    await listen({ owner });
    await lsass.change([['alice', 'It is for them']]);
    expect(handedOver()).toHaveLength(1);
  });

  test('without a relay, the change goes on', async () => {
    const [answer] = await lsass.change([['alice', 'Nobody is there to hear it']]);
    expect(answer).toMatchObject({ accepted: 1, answer: 0 });
  });

  test('a relay that does not speak keeps nobody waiting', async () => {
    await listen({ mode: 'deaf' });
    const answers = await lsass.change([
      ['alice', 'It goes on without'],
      ['bob', 'It goes on without, too'],
    ]);
    for (const { answer, ms } of answers) expect([answer, ms < 2_000]).toEqual([0, true]);
  });

  test('a pipe has one relay: the next one is refused, and says so', async () => {
    await listen();
    const second = windows.run(windows.node, path.join(SUPPORT, 'listen.cjs'), taken, 'relay');
    await expect(second).rejects.toThrow('Another relay listens on \\\\.\\pipe\\lockstep');
  });
});
