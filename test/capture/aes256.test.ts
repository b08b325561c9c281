import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { openAes256, readAes256 } from '../../capture/polling/aes256';
import { inheritedEnvironment } from '../../config';
import { Secret } from '../../model/passwords/secret';
import { describeWith, server } from '../support/servers';

interface Vector {
  readonly definition: string;
  readonly passphrase: string;
  readonly password: string;
  readonly encoded: string;
}

/** Test vectors made with `AES256EncodedPassword` of the UnboundID LDAP SDK 7.0.3. */
const vectors: readonly Vector[] = [
  {
    definition: '0123456789abcdef0123456789abcdef',
    passphrase: 'a passphrase of 1',
    password: 'correct horse',
    encoded:
      '{AES256}A85aBKK97WS0FWT6oXAf8Xq75Lny0DqajZS9Qb2y+jCGEAEjRWeJq83vASNFZ4mrze9f5YqFBXjt4dDr3QFxuD9/dxwk3v24S91uPqwq1rBRWQ==',
  },
  {
    definition: 'a1',
    passphrase: 'pässphrase 🐦',
    password: 'pässwörd 🐦 пароль 密码',
    encoded:
      '{AES256}De0oNPf3g/P8cbbnYO/A8upruyAfCgUDHG1DALVUxMsuAaH5QnM8izIQ3CmO3tLonWNTMfZSQiu0tuVCGkrOzF6ZeOqjCvy9qKHeHbO40wPFqInvwRqCOdFtBjYs6khyCZ2c',
  },
  {
    definition: '00ff',
    passphrase: 'x',
    password: 'sixteen-bytes-16',
    encoded:
      '{AES256}AG8WONvxzpGNFBr9IFuXr1Ii0AAcCd9bMLt9S4HswVgkAgD/YWj6Q5wgBZf5Vdcjp9asU01G+oRo3nz1UHLC2tMiNrA=',
  },
  {
    definition: 'ab'.repeat(64),
    passphrase: 'long id',
    password: `it's "q" \\`,
    encoded:
      '{AES256}Bk0JkVxs4Pf4Gpau94nHkWehWYphDs9zfHhah3QUehimQKurq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6ttW5sMc9rkS1+Wde6IDeuWUelYy7344GZLTjLONhhz1Q==',
  },
];
const [vector = { definition: '', passphrase: '', password: '', encoded: '' }] = vectors;

async function opened(encoded: string, passphrase: string): Promise<string | null> {
  const read = readAes256(encoded);
  const password = read && (await openAes256(read, Secret.fromText(passphrase)));
  return password?.text() ?? null;
}

describe('the scheme {AES256}', () => {
  test.each(vectors)(
    'a value that the SDK encoded decrypts to $password',
    async ({ encoded, definition, passphrase, password }) => {
      expect(readAes256(encoded)?.definition).toBe(definition);
      expect(await opened(encoded, passphrase)).toBe(password);
    },
  );

  test('a wrong passphrase does not decrypt a value', async () => {
    expect(await opened(vector.encoded, `${vector.passphrase}0`)).toBeNull();
  });

  test('a value with a changed bit in its salt, vector, ciphertext or tag does not decrypt', async () => {
    const bytes = Buffer.from(vector.encoded.slice('{AES256}'.length), 'base64');
    const sealedAt = 34 + vector.definition.length / 2;
    for (const at of [1, 17, sealedAt, bytes.length - 1]) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(await opened(`{AES256}${changed.toString('base64')}`, vector.passphrase)).toBeNull();
    }
  });

  test('a value that claims more padding than it has zeros does not decrypt', async () => {
    const bytes = Buffer.from(vector.encoded.slice('{AES256}'.length), 'base64');
    bytes[0] = (bytes[0] ?? 0) + 1;
    expect(await opened(`{AES256}${bytes.toString('base64')}`, vector.passphrase)).toBeNull();
  });

  test.each([
    ['cut off', vector.encoded.slice(0, 70)],
    ['empty', '{AES256}'],
    ['of another version', `{AES256}E${vector.encoded.slice('{AES256}'.length + 1)}`],
  ])('a value that is %s is not parsed', (_title, encoded) => {
    expect(readAes256(encoded)).toBeNull();
  });

  describeWith(['unboundid'], 'the installed SDK', () => {
    test('values that the SDK encodes now decrypt to the password, of any length and any bytes', async () => {
      const made = Array.from({ length: 20 }, (_, nth) => ({
        definition: randomBytes(1 + nth * 6).toString('hex'),
        passphrase: randomBytes(1 + nth).toString('base64url'),
        password: randomBytes(1 + nth * 3).toString('latin1'),
      }));
      const base64 = (text: string) => Buffer.from(text).toString('base64');
      const lines = made.map(({ definition, passphrase, password }) =>
        [definition, base64(passphrase), base64(password)].join(' '),
      );
      const { jar = '', classes = '' } = server('unboundid');
      const { stdout } = spawnSync(
        'java',
        ['-cp', [classes, jar].join(path.delimiter), 'Aes256Encoder'],
        { input: `${lines.join('\n')}\n`, env: inheritedEnvironment() },
      );
      const encoded = stdout.toString().trim().split('\n');
      const found = await Promise.all(
        made.map(({ passphrase }, nth) => opened(encoded[nth] ?? '', passphrase)),
      );
      expect(found).toEqual(made.map(({ password }) => password));
    });
  });
});
