import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildBlocklist } from '../../blocklist/build';
import { checkBlocklist, isListed } from '../../blocklist/lookup';
import { Secret } from '../../model/passwords/secret';

const dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-blocklist-'));
const from = path.join(dir, 'from');
const list = path.join(dir, 'list');
afterAll(() => rmSync(dir, { recursive: true }));

const build = (text: string | Buffer, minCount = 1) => {
  writeFileSync(from, text);
  return buildBlocklist({ from, to: list, minCount, onProgress: () => {} });
};
const listed = (password: string) => isListed(list, Secret.fromText(password));
const sha1 = (text: string) => createHash('sha1').update(text).digest('hex').toUpperCase();

describe('a list of Have I Been Pwned', () => {
  // The list spans several chunks when it is read, and the blocklist is many times longer than one read of a lookup.
  const passwords = Array.from({ length: 60_000 }, (_, index) => `leaked ${index}`);
  const lines = passwords.map((password, index) => `${sha1(password)}:${(index % 100) + 1}`);

  test.each([
    ['sorted, as the downloader writes it', [...lines].sort().join('\r\n')],
    ['in any order, with lines twice', [...lines, ...lines.slice(0, 1_000)].join('\n')],
    [
      'in lower case and without counts',
      lines.map((line) => line.slice(0, 40).toLowerCase()).join('\n'),
    ],
  ])('a blocklist holds every password of a list and no other: %s', async (_what, text) => {
    expect(await build(text)).toMatchObject({ keys: passwords.length });
    await checkBlocklist(list);
    for (let index = 0; index < passwords.length; index += 601) {
      expect(await listed(`leaked ${index}`)).toBe(true);
      expect(await listed(`never leaked ${index}`)).toBe(false);
    }
    expect(await listed(passwords[0] ?? '')).toBe(true);
    expect(await listed(passwords.at(-1) ?? '')).toBe(true);
  });

  test('a blocklist takes 6 bytes a password', async () => {
    await build(lines.join('\n'));
    expect(statSync(list).size).toBeLessThan(6 * lines.length + 100);
  });

  test('hashes with a count below the minimum are left out', async () => {
    expect(await build(lines.join('\n'), 51)).toMatchObject({ lines: 60_000, keys: 30_000 });
    expect([await listed('leaked 49'), await listed('leaked 50')]).toEqual([false, true]);
  });
});

describe('a list of words', () => {
  test.each([
    ['in its exact form', 'Grüße Aus Calevate', true],
    ['in another case', 'GRÜSSE AUS CALEVATE', true],
    ['with combining marks', 'gru\u0308ße aus calevate', true],
    [
      'with another character appended, which makes it another password',
      'Grüße Aus Calevate!',
      false,
    ],
  ])('a lookup of a listed password %s (%j) returns %j', async (_how, password, expected) => {
    await build('trustno1\n\nGrüße Aus Calevate\n');
    expect(await listed(password)).toBe(expected);
  });

  test('a line that is not UTF-8 is listed by its bytes', async () => {
    const bytes = Buffer.from([0x70, 0xff, 0xfe]);
    await build(Buffer.concat([Buffer.from('word\n'), bytes]));
    expect(await isListed(list, Secret.of(Buffer.from('word')))).toBe(true);
  });

  test('an empty list makes a blocklist without passwords', async () => {
    expect(await build('')).toEqual({ lines: 0, keys: 0 });
    expect(await listed('x')).toBe(false);
  });
});

test.each([
  ['NTLM hashes', `${'0'.repeat(32)}:5\n`, 'line 1 holds NTLM hashes'],
  [
    'a line that is cut',
    `${sha1('a')}:1\n${sha1('b').slice(0, 9)}\n`,
    'line 2 is not "SHA1:count"',
  ],
])(
  'a list with %s is refused with its line number, and the old blocklist stays',
  async (_what, text, says) => {
    await build('before');
    await expect(build(text)).rejects.toThrow(says);
    expect(await listed('before')).toBe(true);
    expect(readdirSync(dir).sort()).toEqual(['from', 'list']);
  },
);

describe('a damaged blocklist', () => {
  const whole = async () => {
    await build(Array.from({ length: 5_000 }, (_, index) => `word ${index}`).join('\n'));
    return readFileSync(list);
  };

  test.each<[string, (bytes: Buffer) => Buffer]>([
    ['is empty', () => Buffer.alloc(0)],
    ['is something else', () => randomBytes(6_000)],
    ['lost its end', (bytes) => bytes.subarray(0, -1)],
    ['lost its middle', (bytes) => Buffer.concat([bytes.subarray(0, 600), bytes.subarray(1_200)])],
    ['is of a later version', (bytes) => Buffer.from(bytes).fill('2', 19, 20)],
    [
      'is out of order',
      (bytes) => Buffer.concat([bytes.subarray(0, 27), bytes.subarray(27).reverse()]),
    ],
  ])('a blocklist that %s is reported', async (_how, damage) => {
    writeFileSync(list, damage(await whole()));
    await expect(checkBlocklist(list)).rejects.toThrow(
      'build it again with "lockstep blocklist build"',
    );
  });

  test('a lookup in a truncated blocklist fails instead of finding nothing', async () => {
    writeFileSync(list, (await whole()).subarray(0, -6));
    await expect(listed('word 1')).rejects.toThrow('not a complete blocklist');
  });
});
