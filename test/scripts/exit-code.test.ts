import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { start } from './clone';

const root = path.resolve(__dirname, '../..');

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep exit-'));
  for (const name of ['lockstep', 'scripts'])
    cpSync(path.join(root, name), path.join(dir, name), { recursive: true });
  // Nothing to install or build: this test is about the exit code only.
  writeFileSync(path.join(dir, 'scripts/setup.mjs'), 'export const setUp = async () => {};');
  mkdirSync(path.join(dir, 'dist/cli'), { recursive: true });
});
afterAll(() => rmSync(dir, { recursive: true }));

/** Runs the wrapper `./lockstep` with this JavaScript in place of the command line. */
function wrapperAround(main: string) {
  writeFileSync(path.join(dir, 'dist/cli/main.js'), main);
  return start(path.join(dir, 'lockstep'), ['nothing'], os.tmpdir()).ended;
}

test.each([
  ['before its module has loaded', 'process.exitCode = 3;', 3],
  [
    'right after its module has loaded',
    'void Promise.resolve().then(() => { process.exitCode = 3; });',
    3,
  ],
  ['long after its module has loaded', 'setTimeout(() => { process.exitCode = 3; }, 100);', 3],
  ['never, because it succeeds', '', 0],
])('./lockstep ends with the exit code of a command that sets it %s', async (_when, main, code) => {
  expect(await wrapperAround(main)).toMatchObject({ code, stderr: '' });
});
