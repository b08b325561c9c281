import { mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readLines } from '../../cli/password/lines';
import { zeroableBytes } from '../../model/passwords/zeroable';

jest.mock('../../model/passwords/zeroable', () => {
  const real = jest.requireActual<{ zeroableBytes: typeof zeroableBytes }>(
    '../../model/passwords/zeroable',
  );
  return { zeroableBytes: jest.fn(real.zeroableBytes) };
});

const file = path.join(mkdtempSync(path.join(os.tmpdir(), 'lockstep-cli-')), 'passwords');

const read = async (content: string, wanted = ['new password']) => {
  writeFileSync(file, content);
  return (await readLines(file, wanted)).map((secret) => secret.text());
};

test('a password is read from a line with any line end or none', async () => {
  for (const end of ['', '\n', '\r\n'])
    expect(await read(` pass\tword ${end}`)).toEqual([' pass\tword ']);
  expect(await read('one\r\ntwo', ['new password', 'current password'])).toEqual(['one', 'two']);
});

test('the read buffer is zeroed, even if the passwords are refused', async () => {
  const allocate = jest.mocked(zeroableBytes).mockClear();
  await read('canary\n');
  await expect(read('canary\ncanary\n')).rejects.toThrow(/more than one line/);
  const buffers = allocate.mock.results.map(({ value }) => value as Buffer);
  expect(buffers.length).toBeGreaterThanOrEqual(2);
  for (const buffer of buffers) expect(buffer.includes('canary')).toBe(false);
});

test('a missing file and a folder are reported by name', async () => {
  await expect(readLines('/nowhere', ['new password'])).rejects.toThrow(
    '/nowhere cannot be opened (ENOENT). Nothing was sent.',
  );
  await expect(readLines(os.tmpdir(), ['new password'])).rejects.toThrow(
    /cannot be read \(EISDIR\)/,
  );
});
