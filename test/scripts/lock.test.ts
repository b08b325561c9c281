import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Run, start } from './clone';

const lockModule = pathToFileURL(path.resolve(__dirname, '../../scripts/lock.mjs')).href;

let dir: string;
let runs: Run[];
beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep lock-'));
  runs = [];
});
afterEach(() => {
  for (const { child } of runs) child.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

/** Starts a process that acquires the lock and runs `work` while it holds it. */
function contender(work: string): Run {
  const code = `
    import { spawn } from 'node:child_process';
    import { appendFileSync } from 'node:fs';
    import { setTimeout as sleep } from 'node:timers/promises';
    import { withLock } from ${JSON.stringify(lockModule)};
    await withLock('setup-lock', () => console.log('waits'), async (share) => {
      console.log('inside');
      ${work}
    });`;
  const run = start(process.execPath, ['--input-type=module', '-e', code], dir);
  runs.push(run);
  return run;
}

test('only one of many processes holds the lock at a time', async () => {
  mkdirSync(path.join(dir, 'setup-lock'));
  writeFileSync(path.join(dir, 'setup-lock', '1-of-a-dead-holder'), '');
  const work = "appendFileSync('log', 'in '); await sleep(20); appendFileSync('log', 'out ');";
  await Promise.all(Array.from({ length: 6 }, () => contender(work).ended));
  expect(readFileSync(path.join(dir, 'log'), 'utf8')).toBe('in out '.repeat(6));
});

test('a waiting process acquires the lock when its holder is killed', async () => {
  const holder = contender('await sleep(60_000);');
  await holder.printed(/inside/);
  const next = contender('');
  await next.printed(/waits/);
  holder.child.kill('SIGKILL');
  expect((await next.ended).stdout).toBe('waits\ninside\n');
});

test('a waiting process waits for the child of a killed holder that shares the lock', async () => {
  const holder = contender(`
    const { pid } = spawn('sleep', ['60'], { stdio: 'ignore' });
    share(pid);
    console.log('child', pid);
    await sleep(60_000);`);
  const [, child] = await holder.printed(/child (\d+)/);
  holder.child.kill('SIGKILL');
  await holder.ended;
  const next = contender('');
  await next.printed(/waits/);
  process.kill(Number(child), 'SIGKILL');
  expect((await next.ended).stdout).toBe('waits\ninside\n');
});

test('a process does not wait for an unrelated process that reuses the id of a dead holder', async () => {
  mkdirSync(path.join(dir, 'setup-lock'));
  writeFileSync(path.join(dir, 'setup-lock', `${process.pid}-0`), '');
  expect((await contender('').ended).stdout).toBe('inside\n');
});
