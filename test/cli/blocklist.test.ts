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

/** Without an api: nothing listens at this address. */
const build = (...args: string[]) =>
  lockstep(['--url', 'http://127.0.0.1:9', 'blocklist', 'build', ...args], { cwd: dir });

test('a blocklist is made without an api, and what to do with it is told', async () => {
  const { code, stdout, stderr } = await build('words', 'list');
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toBe(
    `${file('list')}: 2 keys of 2 lines.\nNext: copy it to every api and set policies.<name>.blocklist to its path there.\n`,
  );
  expect(await isListed(file('list'), Secret.fromText('hunter2'))).toBe(true);
});

test.each([
  ['a file that is not there', 'nothing', 'nothing cannot be used (ENOENT).\n'],
  ['a line that is cut', 'cut', 'cut: line 2 is not "SHA1:count". Nothing was made.\n'],
])('%s: told, and what it holds is not shown', async (_what, from, says) => {
  expect(await build(from, 'other')).toEqual({ code: 2, stdout: '', stderr: says });
});

test('nobody can be asked for less than one', async () => {
  expect(await build('words', 'other', '--min-count', '0')).toMatchObject({ code: 2, stdout: '' });
});
