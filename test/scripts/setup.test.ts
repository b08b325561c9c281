import { setTimeout as sleep } from 'node:timers/promises';
import { describeOnline } from '../support/registries';
import { type Clone, cleanClone, type Ended } from './clone';

const lastLine = ({ stdout }: Ended) => stdout.trimEnd().split('\n').at(-1);

// All tests share one clone, because installing its packages takes half a minute; each test builds on the state of the last.
describeOnline('npm', 'a clean clone in a folder with a space', () => {
  let clone: Clone;
  beforeAll(() => {
    clone = cleanClone();
  });
  afterAll(() => clone.discard());

  test('npm start and npm test at the same time set up the clone once and both succeed', async () => {
    const flags = ['--once', '--json', '--fresh', '--password-file', 'F', '--with-ad'];
    const [started, tested] = await Promise.all([
      clone.npm('start', '--', ...flags).ended,
      clone.npm('test').ended,
    ]);
    const notes = started.stderr + tested.stderr;
    expect(notes.match(/^Installing packages …$/gm)).toHaveLength(1);
    expect(notes.match(/^Building …$/gm)).toHaveLength(1);
    expect(notes).toContain('Waiting for another command in this folder to finish the set-up');
    expect(started.stdout).toContain(`"args":${JSON.stringify(['up', '--demo', ...flags])}`);
    expect(lastLine(tested)).toBe('1 passed, 0 failed');
    expect([started.code, tested.code]).toEqual([0, 0]);
  }, 180_000);

  test('a second npm start installs and builds nothing', async () => {
    const again = await clone.npm('start', '--', '--once').ended;
    expect(again).toMatchObject({ code: 0, stderr: '' });
  });

  test.each([
    ['npm receives SIGTERM', 'SIGTERM', 'npm', ['SIGTERM']],
    ['npm receives SIGINT', 'SIGINT', 'npm', ['SIGINT']],
    ['Ctrl-C signals npm and the command', 'SIGINT', 'everyone', ['SIGINT']],
    ['npm is killed', 'SIGKILL', 'npm', ['SIGTERM']],
  ] as const)(
    'the command receives one signal and ends when %s',
    async (_title, signal, who, received) => {
      const { child, printed, ended } = clone.npm('start');
      const [, pid] = await printed(/"pid":(\d+)/);
      const npm = child.pid ?? 0;
      process.kill(who === 'npm' ? npm : -npm, signal);
      expect((await ended).stdout).toContain(JSON.stringify({ received }));
      await gone(Number(pid));
    },
  );

  const two = {
    fails: "test('two', () => { throw new Error('no'); });",
    broken: 'test(',
    skipped: "test.skip('two', () => {});",
    passes: "test('two', () => {});",
  };
  test.each([
    ['a test fails', two.fails, [], '1 passed, 1 failed', 1],
    ['a suite cannot be loaded', two.broken, [], '1 passed, 1 failed', 1],
    ['a test is skipped', two.skipped, [], '1 passed, 0 failed, 1 skipped', 0],
    ['every test is skipped', two.passes, ['-t', 'other'], '0 passed, 0 failed, 2 skipped', 1],
    ['no test matches', two.passes, ['other'], '0 passed, 0 failed', 1],
  ])(
    'npm test reports in its last line and exit code that %s',
    async (_title, content, args, line, code) => {
      clone.write('test/two.test.ts', content);
      const tested = await clone.npm('test', '--', ...args).ended;
      expect([lastLine(tested), tested.code]).toEqual([line, code]);
    },
  );

  test('the workers of jest end when npm is killed during the tests', async () => {
    const says = "require('node:fs').writeSync(1, `worker ${process.pid};`);";
    const waits = 'new Promise((end) => { setTimeout(end, 60_000); })';
    for (const file of ['test/waits-1.test.ts', 'test/waits-2.test.ts'])
      clone.write(file, `${says} test('waits', () => ${waits}, 90_000);`);
    const { child, printed } = clone.npm('test', '--', '--maxWorkers=2', 'waits');
    const [, first, second] = await printed(/worker (\d+);.*worker (\d+);/s);
    expect(first).not.toBe(second);
    child.kill('SIGKILL');
    await Promise.all([gone(Number(first)), gone(Number(second))]);
  });

  test('npm start builds an edited source again and runs the new code', async () => {
    clone.write('cli/edited.ts', "console.log('edited');");
    clone.write('cli/main.ts', "import './edited';");
    const { stderr, stdout } = await clone.npm('start').ended;
    expect(stderr).toContain('Building …');
    expect(stdout).toMatch(/^edited$/m);
  });

  test('npm start shows where a source does not compile and starts nothing', async () => {
    clone.write('cli/main.ts', "console.log('started'); const n: number = 'text'; void n;");
    const { code, stdout, stderr } = await clone.npm('start').ended;
    expect(code).not.toBe(0);
    expect(stderr).toContain('cli/main.ts(1,');
    expect(stdout).not.toMatch(/^started$/m);
  });
});

/** Resolves when the process no longer exists. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await sleep(50);
  }
}
