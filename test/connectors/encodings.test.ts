import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { encode, holds, isTooLong } from '../../connectors/encodings';
import { saslprep } from '../../connectors/saslprep';
import { scramKeys } from '../../connectors/scram';
import { readEncoded, type Scheme, schemes, writeEncoded } from '../../model/hashes/encoding';
import { Secret } from '../../model/passwords/secret';
import { describeWith } from '../support/servers';
import { mariadbAdmin, postgresAdmin, unique } from './sql-admin';

/** Hashes that other implementations have made and published. */
const published: readonly [scheme: Scheme, password: string, stored: string][] = [
  // OpenLDAP's Administrator's Guide, 14.4
  ['ssha', 'secret', '{SSHA}DkMTwBl+a/3DQTxCYEApdUtNXGgdUac3'],
  ['sha', 'secret', '{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ='],
  // The manual of MySQL, 6.1.2.4
  ['mysql-native', 'mypass', '*6C8989366EAF75BB670AD8EA7A7FC1176A95CEF4'],
  // Python's hashlib, with the salt "NaCl"
  ['ssha256', 'password', '{SSHA256}AoSAlxEEs3aR9BxDDlngf9TFrg9TMXsqouBs+N27/hBOYUNs'],
  // uffd, tests/test_password_hash.py
  [
    'ssha512',
    'password',
    '{ssha512}dOeDLmVpHJThhHeag10Hm2g4T7s3SBE6rGHcXUolXJHVufY4qT782rwZ/0XE6cuLcBZ0KpnwmUzRpAEtZBdv+JYEEtZQs/uC',
  ],
  // OpenLDAP's pw-pbkdf2, in the tests of 389 Directory Server (src/plugins/pwdchan)
  [
    'pbkdf2-sha256',
    'password',
    '{PBKDF2-SHA256}10000$henZGfPWw79Cs8ORDeVNrQ$1dTJy73v6n3bnTmTZFghxHXHLsAzKaAy8SksDfZBPIw',
  ],
  [
    'pbkdf2-sha512',
    'password',
    '{PBKDF2-SHA512}10000$Je1Uw19Bfv5lArzZ6V3EPw$g4T/1sqBUYWl9o93MVnyQ/8zKGSkPbKaXXsT8WmysXQJhWy8MRP2JFudSL.N9RklQYgDPxPjnfum/F2f/TrppA',
  ],
  // 389 Directory Server's own, in the tests of Kolab
  [
    'pbkdf2-sha512',
    '12345678_kolab',
    '{PBKDF2-SHA512}10000$hbMHmUXNh3UoHNlDu+NJBOW+hVAhP3C0$ax9vNLL1rr85ppODFTykPC46igHh92vULWpZaR/CQqyD4IGG/IyPYbbC2v7BxSPIDUXc0e9AGX9IuwinIj5a/w==',
  ],
  // slapd-pw-pbkdf2(5) of OpenLDAP
  [
    'pbkdf2-sha256',
    'secret',
    '{PBKDF2-SHA256}10000$jq40ImWtmpTE.aYDYV1GfQ$mpiL4ui02ACmYOAnCjp/MI1gQk50xLbZ54RZneU0fCg',
  ],
  // Python's hashlib, with the salt "NaCl"
  [
    'ssha384',
    'password',
    '{SSHA384}7Wh/INf41w88+3O1dJO+AdAZNBM6hgAASCnH8QZEoeYZwRzMFMk/+u7QryqoC4WcTmFDbA==',
  ],
  // Openwall's crypt_blowfish, wrapper.c
  ['bcrypt', 'U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
  // crypt(3) of glibc, for the test strings of Drepper's specification
  [
    'sha512-crypt',
    'Hello world!',
    '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1',
  ],
  [
    'sha512-crypt',
    'a very much longer text to encrypt.  This one even stretches over morethan one line.',
    '$6$rounds=1400$anotherlongsalts$POfYwTEok97VWcjxIiSOjiykti.o/pQs.wPvMxQ6Fm7I6IoYN3CmLs66x9t0oSwbtEW7o7UmJEiDwGqd8p4ur1',
  ],
  [
    'sha256-crypt',
    'Hello world!',
    '{CRYPT}$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA',
  ],
  // phc-winner-argon2, src/test.c
  [
    'argon2',
    'password',
    '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
  ],
  [
    'argon2',
    'password',
    '{ARGON2}$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA',
  ],
  // Django, tests/auth_tests/test_hashers.py
  [
    'django-pbkdf2-sha256',
    'lètmein',
    'pbkdf2_sha256$1000000$seasalt$r1uLUxoxpP2Ued/qxvmje7UH9PUJBkRrvf9gGPL7Cps=',
  ],
  // passlib's documentation of scrypt
  [
    'scrypt',
    'password',
    '$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E',
  ],
  // RFC 7914 section 12
  [
    'scrypt',
    'password',
    '$scrypt$ln=10,r=8,p=16$TmFDbA$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWIurzDZLiKjiG/xCSedmDDaxyevuUqD7m2DYMvfoswGQA',
  ],
];

const secret = (text: string) => Secret.fromText(text);

/** Time limit of a test. Some schemes need a large part of a second for each hash. */
const TIME = 60_000;

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
      const password = 'Pä$$wörd {with} "all" of it, and 日本';
      const stored = await encode(scheme, secret(password));
      expect(stored).not.toContain(password);
      expect(await holds(stored, secret(password))).toBe(true);
      expect(await holds(stored, secret(password.toLowerCase()))).toBe(false);
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
      const stored = await encode(scheme, secret('x'));
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
      const stored = await encode(scheme, secret('whole'));
      for (const lost of [1, 2, 4, 12])
        expect(await holds(stored.slice(0, -lost), secret('whole'))).not.toBe(true);
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
