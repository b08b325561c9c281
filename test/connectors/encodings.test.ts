import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { encodings, holds, type Scheme, schemes } from '../../connectors/encodings';
import { saslprep } from '../../connectors/saslprep';
import { scramKeys } from '../../connectors/scram';
import { Secret } from '../../model/secret';
import { describeWith } from '../support/servers';
import { postgresAdmin, unique } from './sql-admin';

/** Made by others. */
const published: readonly [scheme: Scheme, password: string, stored: string][] = [
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

describe('encodings', () => {
  test.each(published)('%s: reads what others made: %s', async (scheme, password, stored) => {
    expect(encodings[scheme].read(stored)).not.toBeNull();
    expect(await holds(stored, secret(password))).toBe(true);
    expect(await holds(stored, secret(`${password}x`))).toBe(false);
  });

  test.each(schemes)(
    '%s: what it makes holds the password and no other, and is never the same twice',
    async (scheme) => {
      const password = 'Pä$$wörd {with} "all" of it, and 日本';
      const [stored, again] = [
        await encodings[scheme].produce(secret(password)),
        await encodings[scheme].produce(secret(password)),
      ];
      expect(stored).not.toBe(again);
      expect(stored).not.toContain(password);
      expect(await holds(stored, secret(password))).toBe(true);
      expect(await holds(stored, secret(password.toLowerCase()))).toBe(false);
    },
  );

  test.each(schemes)('%s: no other encoding takes what it makes for its own', async (scheme) => {
    const stored = await encodings[scheme].produce(secret('x'));
    const readers = schemes.filter((other) => encodings[other].read(stored) !== null);
    expect(readers).toEqual([scheme]);
  });

  test.each(schemes)(
    '%s: the password is borrowed, and the hash is that of the time of the call',
    async (scheme) => {
      const password = secret('borrowed for a moment');
      const making = encodings[scheme].produce(password);
      expect(password.equals(secret('borrowed for a moment'))).toBe(true);
      password.destroy();
      expect(await holds(await making, secret('borrowed for a moment'))).toBe(true);
    },
  );

  test.each([
    '',
    'in clear',
    '{SSHA512}',
    '{SSHA512}dOeDLmVpHJThhHeag10=',
    '{PBKDF2-SHA256}99999999999$c2FsdA$a2V5',
    '{PBKDF2-SHA256}0$c2FsdA$a2V5',
    ...['ln=30,r=8,p=1', 'ln=14,r=8,p=999', 'ln=0,r=8,p=1', 'ln=14,r=0,p=1', 'ln=14,r=8,p=0'].map(
      (cost) => `$scrypt$${cost}$c2FsdA$${'a'.repeat(43)}`,
    ),
    `SCRAM-SHA-256$999999999:c2FsdA==$${'a'.repeat(43)}=:${'a'.repeat(43)}=`,
    '$2b$12$abcdefghijklmnopqrstuv',
  ])('%j is nothing that is known here, or more work than a login may be', async (stored) => {
    expect(await holds(stored, secret('anything'))).toBeNull();
  });

  test.each(schemes)(
    '%s: a hash that was cut short in its column holds no password',
    async (scheme) => {
      const stored = await encodings[scheme].produce(secret('whole'));
      for (const lost of [1, 2, 4, 12])
        expect(await holds(stored.slice(0, -lost), secret('whole'))).not.toBe(true);
    },
  );
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

  test('its keys prove what RFC 7677 says they prove', async () => {
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
  /** What SASLprep changes, forbids, or judges by the direction of the text, beside what it leaves alone. */
  const telling = [
    ...'aZ9 .é日',
    ...['e\u0301', '\u00a0', '\u200b', '\u200d', '\u00ad', '\ufe0f', 'ﬁ', 'Å', '２', '㎏'],
    ...['ש', 'ﬡ', 'ع', 'ﷲ', '٣', '\u05b0', '\u200f', '\u202e', '\u0007', '\ue000', '\u{e0041}'],
    ...['✅', '❤', '🔑', '₹', 'ẞ', '\u{10fffe}'],
  ];
  const passwords = fc.oneof(
    fc
      .array(fc.constantFrom(...telling), { minLength: 1, maxLength: 6 })
      .map((all) => all.join('')),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }),
  );

  test('gives what PostgreSQL itself makes of a password, which is the raw text where it is forbidden', async () => {
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
  ])('%j becomes %j', (text, prepared) => {
    expect(saslprep(text)).toBe(prepared);
  });
});
