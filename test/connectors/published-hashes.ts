import type { Scheme } from '../../model/hashes/encoding';

/** Hashes that other implementations have made and published. */
export const published: readonly [scheme: Scheme, password: string, stored: string][] = [
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
