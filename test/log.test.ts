import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { inheritedEnvironment } from '../config';
import { mountSmallDisk, noSmallDisk } from './support/small-disk';
import { until } from './support/until';

const root = path.resolve(__dirname, '..');

/** Logs a numbered line every few milliseconds until it is stopped, and writes each number to stderr, too. */
const talker = `
  const { live } = require('./lifetime');
  const { log } = require('./log');
  live('the talker', (stopping) => new Promise((resolve) => {
    let count = 0;
    const timer = setInterval(() => {
      log.info('one more', { count: ++count });
      process.stderr.write(count + ' ');
    }, 5);
    stopping.addEventListener('abort', () => { clearInterval(timer); resolve(); });
  }));`;

const running = new Set<ChildProcess>();
function run(script: string, stdout: number | 'pipe', env: Record<string, string> = {}) {
  const args = ['-r', path.join(root, 'test/support/typescript.cjs'), '-e', script];
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...inheritedEnvironment(), LOCKSTEP_LOG_LEVEL: 'info', ...env },
    stdio: ['ignore', stdout, 'pipe'],
  });
  running.add(child);
  let logged = 0;
  child.stderr?.on('data', (data) => {
    logged += String(data).split(' ').length - 1;
  });
  /** Waits until the process has logged 50 more lines, or failed to write them. */
  const logsMore = async () => {
    const before = logged;
    await until(() => logged > before + 50 || child.exitCode !== null);
  };
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, ended, logsMore };
}
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
});

const linesOf = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { count?: number; msg: string });

const onSmallDisk = noSmallDisk === null ? test : test.skip;

onSmallDisk(
  `a process whose log is on a full disk goes on, and logs the lines when there is room again${
    noSmallDisk === null ? '' : ` (skipped: ${noSmallDisk})`
  }`,
  async () => {
    const disk = mountSmallDisk(1);
    const file = path.join(disk.dir, 'talker.log');
    const descriptor = openSync(file, 'a');
    const { child, ended, logsMore } = run(talker, descriptor);
    closeSync(descriptor);
    const size = () => readFileSync(file).length;
    try {
      await logsMore();
      disk.fill();
      await logsMore();
      expect(child.exitCode).toBeNull();
      disk.makeRoom();
      const stuck = size();
      await until(() => size() > stuck + 1_000);
      child.kill('SIGTERM');
      expect(await ended).toBe(0);
      const counts = linesOf(readFileSync(file, 'utf8')).flatMap(({ count }) => count ?? []);
      expect(counts).toEqual(counts.map((_, index) => index + 1));
    } finally {
      child.kill('SIGKILL');
      await ended;
      disk.remove();
    }
  },
);

test('a process whose log has no reader any more goes on', async () => {
  const { child, ended, logsMore } = run(talker, 'pipe');
  await logsMore();
  child.stdout?.destroy();
  await logsMore();
  expect(child.exitCode).toBeNull();
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
});

test('a misspelt variable is reported, with the one that was probably meant', async () => {
  const { child, ended } = run(talker, 'pipe', {
    LOCKSTEP_EPOC_HOURS: '12',
    TEMPORAL_API_KEY: 'canary',
  });
  let text = '';
  child.stdout?.on('data', (data) => {
    text += data;
  });
  await until(() => text.includes('one more'));
  child.kill('SIGTERM');
  await ended;
  expect(text).toContain('LOCKSTEP_EPOC_HOURS is set, but');
  expect(text).toContain('Did you mean LOCKSTEP_EPOCH_HOURS?');
  expect(text).toContain('TEMPORAL_API_KEY is set, but');
  expect(text).not.toContain('canary');
});

test.each([
  ['an environment that is not valid', { LOCKSTEP_LOG_LEVEL: 'loud' }, 'LOCKSTEP_LOG_LEVEL'],
  ['an error that nothing catches', {}, '"name":"TypeError"'],
])('the log has a line of JSON without the message for %s', async (_what, env, holds) => {
  const script = `require('./uncaught'); require('./log'); throw new TypeError('canary');`;
  const { child, ended } = run(script, 'pipe', env);
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (data) => {
      text += data;
    });
  expect(await ended).toBe(1);
  expect(linesOf(text)).toMatchObject([{ level: 'error', msg: 'the process failed and exits' }]);
  expect(text).toContain(holds);
  expect(text).not.toContain('canary');
});
