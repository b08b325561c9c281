import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { encode, holds, isTooLong } from '../../connectors/encodings';
import { saslprep } from '../../connectors/saslprep';
import { scramKeys } from '../../connectors/scram';
import { readEncoded, type Scheme, schemes, writeEncoded } from '../../model/hashes/encoding';
import { Secret } from '../../model/passwords/secret';
import { describeWith } from '../support/servers';
import { published } from './published-hashes';
import { mariadbAdmin, postgresAdmin, unique } from './sql-admin';

const secret = (text: string) => Secret.fromText(text);

/** Time limit of a test. Some schemes need a large part of a second for each hash. */
const TIME = 60_000;

const STORED = 'Pä$$wörd {with} "all" of it, and 日本';
const made = new Map<Scheme, Promise<string>>();

/** A hash of `STORED`, which is made once for all tests. */
function storedAs(scheme: Scheme): Promise<string> {
  const hash = made.get(scheme) ?? encode(scheme, secret(STORED));
  made.set(scheme, hash);
  return hash;
}

describe('encodings', () => {
  test.each(published)(
    'a published %s hash of %j is verified: %s',
    async (scheme, password, stored) => {
      expect(readEncoded(stored)?.scheme).toBe(scheme);
      expect(await holds(stored, secret(password))).toBe(true);
      expect(await holds(stored, secret(`${password}x`))).toBe(false);
    },
  );

  test.each(schemes)(
    'a %s hash that Lockstep makes matches the password and no other',
    async (scheme) => {
      const stored = await storedAs(scheme);
      expect(stored).not.toContain(STORED);
      expect(await holds(stored, secret(STORED))).toBe(true);
      expect(await holds(stored, secret(STORED.toLowerCase()))).toBe(false);
    },
    TIME,
  );

  test.each(schemes)(
    'the same salt gives the same %s hash, and another salt gives another one',
    async (scheme) => {
      const [salt, other] = [Buffer.alloc(16, 'drawn once'), Buffer.alloc(16, 'and again')];
      const hashes = [salt, salt, other].map((bytes) => encode(scheme, secret('twice'), bytes));
      const [once, again, third] = await Promise.all(hashes);
      expect(again).toBe(once);
      const unsalted = readEncoded(once ?? '')?.salt.length === 0;
      expect(third === once).toBe(unsalted);
    },
    TIME,
  );

  test.each(schemes)(
    'a %s hash that Lockstep makes is recognized, and written again unchanged',
    async (scheme) => {
      const stored = await storedAs(scheme);
      const encoded = readEncoded(stored);
      expect(encoded?.scheme).toBe(scheme);
      expect(encoded && writeEncoded(encoded)).toBe(stored);
    },
  );

  test.each(schemes)(
    'hashing with %s only borrows the password, and uses its value at the time of the call',
    async (scheme) => {
      const password = secret('borrowed for a moment');
      const making = encode(scheme, password);
      expect(password.equals(secret('borrowed for a moment'))).toBe(true);
      password.destroy();
      expect(await holds(await making, secret('borrowed for a moment'))).toBe(true);
    },
    TIME,
  );

  test('a password that bcrypt would cut short is too long, and matches no stored hash', async () => {
    const stored = await encode('bcrypt', secret('x'.repeat(72)));
    expect(isTooLong('bcrypt', secret('x'.repeat(73)))).toBe(true);
    expect(await holds(stored, secret('x'.repeat(73)))).toBe(false);
  });

  const key = (size: number) => Buffer.alloc(size, 1).toString('base64').replaceAll('=', '');
  test.each([
    '',
    'in clear',
    '*',
    '{CLEARTEXT}secret',
    '{SASL}somebody@example.com',
    '{SSHA512}',
    '{SSHA512}dOeDLmVpHJThhHeag10=',
    '{PBKDF2-SHA256}99999999999$c2FsdA$a2V5',
    '{PBKDF2-SHA256}0$c2FsdA$a2V5',
    `{PBKDF2-SHA256}20000000$c2FsdA$${key(32)}`,
    ...['ln=30,r=8,p=1', 'ln=14,r=8,p=999', 'ln=0,r=8,p=1', 'ln=14,r=0,p=1', 'ln=14,r=8,p=0'].map(
      (cost) => `$scrypt$${cost}$c2FsdA$${key(32)}`,
    ),
    ...[
      'm=4000000,t=1,p=1',
      'm=262144,t=900,p=1',
      'm=8,t=1,p=2',
      'm=64,t=0,p=1',
      'm=64,t=1,p=0',
    ].map((cost) => `$argon2id$v=19$${cost}$${key(16)}$${key(32)}`),
    `$argon2x$v=19$m=64,t=1,p=1$${key(16)}$${key(32)}`,
    `$argon2id$v=16$m=64,t=1,p=1$${key(16)}$${key(32)}`,
    `SCRAM-SHA-256$999999999:c2FsdA==$${'a'.repeat(43)}=:${'a'.repeat(43)}=`,
    '$2b$12$abcdefghijklmnopqrstuv',
    `$2b$31$${'a'.repeat(53)}`,
    `$6$rounds=9999999$salt$${'a'.repeat(86)}`,
    `$6$rounds=999$salt$${'a'.repeat(86)}`,
    'md5d8578edf8458ce06fbc5bb76a58c5ca4',
  ])('%j is not a supported hash, or costs more work than a login may', async (stored) => {
    expect(await holds(stored, secret('anything'))).toBeNull();
  });

  test.each(schemes)(
    'a %s hash that was cut short in its column matches no password',
    async (scheme) => {
      const stored = await storedAs(scheme);
      for (const lost of [1, 2, 4, 12])
        expect(await holds(stored.slice(0, -lost), secret(STORED))).not.toBe(true);
    },
    TIME,
  );

  test('any text is either not a hash, or is read and written in a stable form', () => {
    const pieces = published.flatMap(([, , stored]) => stored.split(/(?=[${},:])/));
    const texts = fc.oneof(
      fc.string(),
      fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((all) => all.join('')),
    );
    void fc.assert(
      fc.property(texts, (text) => {
        const encoded = readEncoded(text);
        if (encoded === null) return;
        const written = writeEncoded(encoded);
        const again = readEncoded(written);
        expect(again && writeEncoded(again)).toBe(written);
      }),
    );
  });

  test('different notations of the same hash are written in the same form', () => {
    const same = (text: string, other: string) => {
      const [first, second] = [text, other].map((text) => {
        const encoded = readEncoded(text);
        return encoded && writeEncoded(encoded);
      });
      expect(first).toEqual(expect.any(String));
      expect(first).toBe(second);
    };
    const [, , ssha = ''] = published[0] ?? [];
    same(ssha, ssha.replace('{SSHA}', '{ssha}'));
    const crypt = `$6$saltstring$${'a'.repeat(86)}`;
    same(crypt, `{CRYPT}${crypt}`);
    same(`{crypt}${crypt}`, crypt.replace('$6$', '$6$rounds=5000$'));
  });
});

describeWith(['mariadb'], 'mysql_native_password', () => {
  test('Lockstep and MariaDB make the same mysql_native_password hash', async () => {
    const admin = await mariadbAdmin();
    const password = `${unique('Native')}-é`;
    const [rows] = await admin.query('select password(?) as made', [password]);
    const { made } = (rows as { made: string }[])[0] ?? { made: '' };
    expect(await encode('mysql-native', secret(password))).toBe(made);
    expect(await holds(made, secret(password))).toBe(true);
    await admin.end();
  });
});

describe('SCRAM', () => {
  // RFC 7677 section 3
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
  const serverFirst =
    'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096';
  const authMessage = [
    'n=user,r=rOprNGfwEbeRWgbNEkqO',
    serverFirst,
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
  ].join(',');

  test('the SCRAM keys give the proof and the signature of the example in RFC 7677', async () => {
    const keys = await scramKeys(secret('pencil'), salt, 4096);
    const sign = (key: Buffer) => createHmac('sha256', key).update(authMessage).digest();
    const mask = sign(keys.storedKey);
    const proof = Buffer.from(keys.clientKey.map((byte, at) => byte ^ (mask[at] ?? 0)));
    expect(proof.toString('base64')).toBe('dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=');
    expect(sign(keys.serverKey).toString('base64')).toBe(
      '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
    );
  });
});

describeWith(['postgres'], 'SASLprep', () => {
  /** Characters that SASLprep changes, forbids or checks for their direction, and some that it leaves unchanged. */
  const relevant = [
    ...'aZ9 .é日',
    ...['e\u0301', '\u00a0', '\u200b', '\u200d', '\u00ad', '\ufe0f', 'ﬁ', 'Å', '２', '㎏'],
    ...['०', '⍰'],
    ...['ש', 'ﬡ', 'ع', 'ﷲ', '٣', '\u05b0', '\u200f', '\u202e', '\u0007', '\ue000', '\u{e0041}'],
    ...['✅', '❤', '🔑', '₹', 'ẞ', '\u{10fffe}'],
  ];
  const passwords = fc.oneof(
    fc
      .array(fc.constantFrom(...relevant), { minLength: 1, maxLength: 6 })
      .map((all) => all.join('')),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }),
  );

  test('SASLprep gives the same result as PostgreSQL, which uses forbidden text unchanged', async () => {
    const admin = await postgresAdmin();
    const role = unique('prepared');
    await admin.query(`create role ${role}`);
    const agrees = async (password: string) => {
      await admin.query(`alter role ${role} password ${admin.escapeLiteral(password)}`);
      const { rows } = await admin.query('select rolpassword from pg_authid where rolname = $1', [
        role,
      ]);
      expect([saslprep(password), await holds(rows[0].rolpassword, secret(password))]).toEqual([
        saslprep(password),
        true,
      ]);
    };
    await fc.assert(
      fc.asyncProperty(
        passwords.filter((password) => !password.includes('\0')),
        agrees,
      ),
      { numRuns: 400 },
    );
    await admin.query(`drop role ${role}`);
    await admin.end();
  });

  test.each([
    ['Caf\u0065\u0301', 'Café'],
    ['a\u00a0b\u00adc', 'a bc'],
    ['✅\ufe0f is newer than Unicode 3.2', '✅\ufe0f is newer than Unicode 3.2'],
    ['\u0065\u0301\u0007', '\u0065\u0301\u0007'],
    ['\u00ad', '\u00ad'],
  ])('SASLprep changes %j to %j', (text, prepared) => {
    expect(saslprep(text)).toBe(prepared);
  });
});
