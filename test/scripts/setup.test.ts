import { setTimeout as sleep } from 'node:timers/promises';
import { describeOnline } from '../support/registries';
import { type Clone, cleanClone, type Ended } from './clone';

const lastLine = ({ stdout }: Ended) => stdout.trimEnd().split('\n').at(-1);

// One clone for all, because its packages take half a minute; the tests build on each other's state.
describeOnline('npm', 'a clean clone in a folder with a space', () => {
  let clone: Clone;
  beforeAll(() => {
    clone = cleanClone();
  });
  afterAll(() => clone.discard());

  test('npm start and npm test at once: one sets up, both do their work', async () => {
    const flags = ['--once', '--json', '--fresh', '--password-file', 'F', '--with-ad'];
    const [started, tested] = await Promise.all([
      clone.npm('start', '--', ...flags).ended,
      clone.npm('test').ended,
    ]);
    const said = started.stderr + tested.stderr;
    expect(said.match(/^Installing packages …$/gm)).toHaveLength(1);
    expect(said.match(/^Building …$/gm)).toHaveLength(1);
    expect(said).toContain('Waiting for another start in this folder to finish setting up');
    expect(started.stdout).toContain(`"args":${JSON.stringify(['up', '--demo', ...flags])}`);
    expect(lastLine(tested)).toBe('1 passed, 0 failed');
    expect([started.code, tested.code]).toEqual([0, 0]);
  }, 180_000);

  test('the next start installs and builds nothing', async () => {
    const again = await clone.npm('start', '--', '--once').ended;
    expect(again).toMatchObject({ code: 0, stderr: '' });
  });

  test.each([
    ['npm gets SIGTERM', 'SIGTERM', 'npm', ['SIGTERM']],
    ['npm gets SIGINT', 'SIGINT', 'npm', ['SIGINT']],
    ['Ctrl-C, which npm repeats', 'SIGINT', 'everyone', ['SIGINT']],
    ['npm is killed', 'SIGKILL', 'npm', ['SIGTERM']],
  ] as const)('%s: the command hears of it once, and ends', async (_title, signal, who, seen) => {
    const { child, printed, ended } = clone.npm('start');
    const [, pid] = await printed(/"pid":(\d+)/);
    const npm = child.pid ?? 0;
    process.kill(who === 'npm' ? npm : -npm, signal);
    expect((await ended).stdout).toContain(JSON.stringify({ seen }));
    await gone(Number(pid));
  });

  const two = {
    fails: "test('two', () => { throw new Error('no'); });",
    broken: 'test(',
    skipped: "test.skip('two', () => {});",
    passes: "test('two', () => {});",
  };
  test.each([
    ['a test fails', two.fails, [], '1 passed, 1 failed', 1],
    ['a suite cannot be read', two.broken, [], '1 passed, 1 failed', 1],
    ['a test is skipped', two.skipped, [], '1 passed, 0 failed, 1 skipped', 0],
    ['every test is skipped', two.passes, ['-t', 'other'], '0 passed, 0 failed, 2 skipped', 1],
    ['no such test', two.passes, ['other'], '0 passed, 0 failed', 1],
  ])('%s: the last line and the exit code say so', async (_title, content, args, line, code) => {
    clone.write('test/two.test.ts', content);
    const tested = await clone.npm('test', '--', ...args).ended;
    expect([lastLine(tested), tested.code]).toEqual([line, code]);
  });

  test('npm is killed during the tests: the workers of jest end too', async () => {
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

  test('a source was edited: it is built again, and the new one runs', async () => {
    clone.write('cli/edited.ts', "console.log('edited');");
    clone.write('cli/main.ts', "import './edited';");
    const { stderr, stdout } = await clone.npm('start').ended;
    expect(stderr).toContain('Building …');
    expect(stdout).toMatch(/^edited$/m);
  });

  test('a source does not compile: it says where, and nothing is started', async () => {
    clone.write('cli/main.ts', "console.log('started'); const n: number = 'text'; void n;");
    const { code, stdout, stderr } = await clone.npm('start').ended;
    expect(code).not.toBe(0);
    expect(stderr).toContain('cli/main.ts(1,');
    expect(stdout).not.toMatch(/^started$/m);
  });
});

/** Resolves when there is no such process any more. */
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
