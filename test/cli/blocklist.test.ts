import { mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isListed } from '../../blocklist/lookup';
import { Secret } from '../../model/passwords/secret';
import { lockstep } from './run-cli';

const dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-cli-blocklist-'));
const file = (name: string) => path.join(dir, name);
writeFileSync(file('words'), 'hunter2\nletmein\n');
writeFileSync(file('cut'), `${'A'.repeat(40)}:1\nAAAA\n`);

/** Runs the command without an API: nothing listens at this address. */
const build = (...args: string[]) =>
  lockstep(['--url', 'http://127.0.0.1:9', 'blocklist', 'build', ...args], { cwd: dir });

test('lockstep blocklist build works without an API and says what to do with the file', async () => {
  const { code, stdout, stderr } = await build('words', 'list');
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toBe(
    `Wrote ${file('list')}: 2 passwords from 2 lines.\nNext: copy it to every API server and set policies.<name>.blocklist to its path there.\n`,
  );
  expect(await isListed(file('list'), Secret.fromText('hunter2'))).toBe(true);
});

test.each([
  ['a missing file', 'nothing', 'nothing cannot be read or written (ENOENT).\n'],
  ['a truncated line', 'cut', 'cut: line 2 is not "SHA1:count". No blocklist was written.\n'],
])('lockstep blocklist build reports %s without quoting its content', async (_what, from, says) => {
  expect(await build(from, 'other')).toEqual({ code: 2, stdout: '', stderr: says });
});

test('lockstep blocklist build refuses --min-count 0', async () => {
  expect(await build('words', 'other', '--min-count', '0')).toMatchObject({ code: 2, stdout: '' });
});
