import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { CHUNK_BYTES, createScanner } from './canary';
import { md4 } from './md4';
import { type Form, forms } from './password-forms';

const CANARY = 'Ä"\'\\%&<>+ /=?\nKq7Zt2Wm9x';

/** Encodings made by other programs (Python 3.11, iconv, OpenSSL), so that the scanner is not compared with itself. */
const written: { readonly [Name in Form]: readonly (string | Buffer)[] } = {
  'UTF-8': [Buffer.from('c38422275c25263c3e2b202f3d3f0a4b71375a7432576d3978', 'hex')],
  'UTF-16LE': [
    Buffer.from(
      'c400220027005c00250026003c003e002b0020002f003d00' +
        '3f000a004b00710037005a007400320057006d0039007800',
      'hex',
    ),
  ],
  'UTF-16BE': [
    Buffer.from(
      '00c400220027005c00250026003c003e002b0020002f003d' +
        '003f000a004b00710037005a007400320057006d00390078',
      'hex',
    ),
  ],
  'hex, lower case': ['\\xc38422275c25263c3e2b202f3d3f0a4b71375a7432576d3978'],
  'hex, upper case': ['0xC38422275C25263C3E2B202F3D3F0A4B71375A7432576D3978'],
  'base64 from a multiple of 3': ['w4QiJ1wlJjw+KyAvPT8KS3E3WnQyV205eCEh'],
  'base64 from 1 after it': ['X8OEIidcJSY8PisgLz0/CktxN1p0MldtOXghIQ=='],
  'base64 from 2 after it': ['X1/DhCInXCUmPD4rIC89PwpLcTdadDJXbTl4ISE='],
  base64url: ['w4QiJ1wlJjw-KyAvPT8KS3E3WnQyV205eCEh', 'X8OEIidcJSY8PisgLz0_CktxN1p0MldtOXghIQ'],
  URL: [
    '%C3%84%22%27%5C%25%26%3C%3E%2B%20%2F%3D%3F%0AKq7Zt2Wm9x',
    '%c3%84%22%27%5c%25%26%3c%3e%2b+%2f%3d%3f%0aKq7Zt2Wm9x',
  ],
  'URL twice': [
    '%25C3%2584%2522%2527%255C%2525%2526%253C%253E%252B%2520%252F%253D%253F%250AKq7Zt2Wm9x',
  ],
  'JSON \\u': [
    String.raw`"\u00c4\"'\\%&<>+ /=?\nKq7Zt2Wm9x"`,
    String.raw`"Ä\"'\\%&<>+ /=?\nKq7Zt2Wm9x"`,
    String.raw`\u00C4\u0022\u0027\u005C\u0025\u0026\u003C\u003E\u002B\u0020\u002F\u003D\u003F\u000A\u004B\u0071\u0037\u005A\u0074\u0032\u0057\u006D\u0039\u0078`,
  ],
  'HTML entity': [
    'Ä&quot;&#x27;\\%&amp;&lt;&gt;+ /=?\nKq7Zt2Wm9x',
    `&#196;${CANARY.slice(1, 13)}&#10;${CANARY.slice(14)}`,
  ],
  'quoted-printable': ['=C3=84"\'\\%&<>+ /=3D?\nKq7Zt2Wm9x', '=C3=84"\'\\%&<>+ /=3D?=0AKq7Zt2Wm9x'],
  reversed: ['x9mW2tZ7qK\n?=/ +><&%\\\'"Ä'],
  'SHA-1': [
    '4d38a318f276cb5c09167b1ec9eaa0d249694b58',
    '{SHA}TTijGPJ2y1wJFnseyeqg0klpS1g=',
    Buffer.from('4d38a318f276cb5c09167b1ec9eaa0d249694b58', 'hex'),
  ],
  NTLM: [
    '040A824C725AB2F7E0F6EC85B42D12DD',
    Buffer.from('040a824c725ab2f7e0f6ec85b42d12dd', 'hex'),
  ],
};

const planted = Object.entries(written).flatMap(([form, ways]) =>
  ways.map((way, index) => [form, index + 1, Buffer.from(way)] as const),
);

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-canary-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** A scanner that also searches for other passwords, because their number must not matter. */
const newScanner = () =>
  createScanner({ canary: CANARY, another: 'Sonnenblume-Xylophon-11', core: 'Hn4Vc8Rf2Lp6' });

async function scanned(): Promise<readonly string[]> {
  const scanner = newScanner();
  await scanner.folder('dir', dir);
  return scanner.findings.map(({ secret, form, place }) => `${secret} as ${form} in ${place}`);
}

test('the scanner knows seventeen encodings', () => {
  expect(Object.keys(forms)).toHaveLength(17);
});

test.each(planted)(
  'finds a password as %s (%i) in a file, and by that name',
  async (form, _way, bytes) => {
    mkdirSync(path.join(dir, 'base', '16384'), { recursive: true });
    writeFileSync(
      path.join(dir, 'base/16384/2619'),
      Buffer.concat([noise(9_000), bytes, noise(70)]),
    );
    expect(await scanned()).toEqual([`canary as ${form} in dir/base/16384/2619`]);
  },
);

test.each(planted)(
  'finds a password as %s (%i) wherever two reads divide it',
  async (form, _way, bytes) => {
    const searching = newScanner();
    for (let before = 1; before < bytes.length; before += 7) {
      const file = path.join(dir, `${before}`);
      writeFileSync(file, Buffer.concat([Buffer.alloc(CHUNK_BYTES - before), bytes]));
      await searching.file(`${before}`, file);
      rmSync(file);
      expect(searching.findings.at(-1)).toEqual({ secret: 'canary', form, place: `${before}` });
    }
  },
);

test.each(planted)(
  'finds a password as %s (%i) in memory, at the very beginning and end',
  (form, _way, bytes) => {
    const scanner = newScanner();
    scanner.text('alone', bytes);
    expect(scanner.findings).toEqual([{ secret: 'canary', form, place: 'alone' }]);
  },
);

test('the scanner finds a password in a compressed file and names the file as unpacked', async () => {
  writeFileSync(path.join(dir, 'old.log.gz'), gzipSync(`${'line\n'.repeat(1_000)}${CANARY}`));
  expect(await scanned()).toEqual(['canary as UTF-8 in dir/old.log.gz unpacked']);
});

test('the scanner reports every password once', async () => {
  writeFileSync(path.join(dir, 'log'), `Hn4Vc8Rf2Lp6 ${CANARY} ${CANARY}`);
  writeFileSync(path.join(dir, 'wal'), 'Sonnenblume-Xylophon-11');
  expect(await scanned()).toEqual([
    'core as UTF-8 in dir/log',
    'canary as UTF-8 in dir/log',
    'another as UTF-8 in dir/wal',
  ]);
});

test('the scanner finds nothing in clean files and reports how many bytes it read', async () => {
  const almost = Object.values(written).flatMap((ways) =>
    ways.map((way) => Buffer.from(way).subarray(1).reverse()),
  );
  const content = Buffer.concat([noise(3 * CHUNK_BYTES), ...almost]);
  writeFileSync(path.join(dir, 'clean'), content);
  const scanner = newScanner();
  await scanner.folder('dir', dir);
  await scanner.file('gone', path.join(dir, 'gone'));
  expect(scanner.findings).toEqual([]);
  expect([...scanner.searched]).toEqual([['dir/clean', content.length]]);
});

/** Test vectors of RFC 1320 A.5, and the well-known NTLM hash of the password "password". */
test.each([
  ['', '31d6cfe0d16ae931b73c59d7e0c089c0'],
  ['abc', 'a448017aaf21d8525fc10ae87aa6729d'],
  ['1234567890'.repeat(8), 'e33b4ddc9c38f2199c3e7b164fcc0536'],
])('MD4 of "%s" is that of the RFC', (text, digest) => {
  expect(md4(Buffer.from(text)).toString('hex')).toBe(digest);
});

test('the NTLM hash equals that of Windows', () => {
  const digest = md4(Buffer.from('password', 'utf16le')).toString('hex');
  expect(digest).toBe('8846f7eaee8fb117ad06bdd830b7586c');
});

/** Pseudo-random bytes that are the same in every run. */
function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 1;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}
