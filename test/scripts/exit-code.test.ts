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

/** Runs the wrapper `./lockstep` around the real command line, in a folder where no server has been started. */
function wrapped(...args: string[]) {
  const [typescript, main] = ['test/support/typescript.cjs', 'cli/main.ts'].map((file) =>
    JSON.stringify(path.join(root, file)),
  );
  writeFileSync(path.join(dir, 'dist/cli/main.js'), `require(${typescript}); require(${main});`);
  return start(path.join(dir, 'lockstep'), args, os.tmpdir()).ended;
}

const keyFile = () => {
  const file = path.join(dir, 'key');
  writeFileSync(file, `lks_${'0'.repeat(26)}_${'a'.repeat(43)}`);
  return file;
};

/** Commands with an error that is found before anything is requested. */
const usageErrors: readonly (readonly string[])[] = [
  ...[['bogus'], ['status'], ['changes', '--state', 'foo'], ['keys', 'create'], ['change']],
  ...[['change', '--password', 'x'], ['sources', 'pause'], ['relay', 'bogus'], []],
  ...[
    ['plan', '--no-such-option'],
    ['identities', '--no-such-option'],
    ['up', '--no-such-option'],
  ],
];

test('./lockstep ends with 2 after an error on the command line, whatever the command', async () => {
  const codes = [];
  for (const args of usageErrors) codes.push([args.join(' '), (await wrapped(...args)).code]);
  expect(codes).toEqual(usageErrors.map((args) => [args.join(' '), 2]));
}, 120_000);

test('./lockstep ends with 2 for a missing file, and with 1 for a missing key or a server that does not answer', async () => {
  const nowhere = ['--url', 'http://127.0.0.1:1'];
  const withKey = [...nowhere, '--key-file', keyFile()];
  const codeOf = async (...args: string[]) => (await wrapped(...args)).code;
  expect(await codeOf(...withKey, 'plan', '-f', '/nope')).toBe(2);
  expect(await codeOf(...nowhere, '--key-file', '/nope', 'sources')).toBe(1);
  expect(await codeOf(...nowhere, 'sources')).toBe(1);
  expect(await codeOf(...withKey, 'sources')).toBe(1);
  expect(await codeOf('--help')).toBe(0);
}, 60_000);

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
