import { canonicalDn, isDn } from '../../../connectors/ldap/dn';

const BACKSLASH = '\\';

const spellings: readonly (readonly [canonical: string, ...spellings: string[]])[] = [
  [
    'uid=zed,ou=people,dc=corp,dc=test',
    'UID=zed,OU=people,DC=corp,DC=test',
    'uid=Zed,ou=People,dc=CORP,dc=test',
    'uid = zed , ou = people,  dc=corp ,dc=test',
    '  uid=zed,ou=people,dc=corp,dc=test  ',
    'userid=zed,organizationalUnitName=people,domainComponent=corp,dc=test',
    '0.9.2342.19200300.100.1.1=zed,2.5.4.11=people,0.9.2342.19200300.100.1.25=corp,dc=test',
    'OID.0.9.2342.19200300.100.1.1=zed,ou=people,dc=corp,dc=test',
    String.raw`uid=\7aed,ou=people,dc=corp,dc=test`,
    String.raw`uid=z\65\64,ou=people,dc=corp,dc=test`,
    String.raw`uid=\5A\45\44,ou=people,dc=corp,dc=test`,
    'uid=#04037a6564,ou=people,dc=corp,dc=test',
    'uid=#0C035A6564,ou=people,dc=corp,dc=test',
    'uid="zed",ou=people,dc=corp,dc=test',
    'uid=zed;ou=people;dc=corp;dc=test',
  ],
  [
    String.raw`cn=smith\2c ann,dc=test`,
    String.raw`CN=Smith\, Ann,DC=test`,
    String.raw`cn=Smith\2C Ann,dc=test`,
    String.raw`cn=Smith\2c\20Ann,dc=test`,
    'commonName="Smith, Ann",dc=test',
    String.raw`2.5.4.3=smith\,  ann ,dc=test`,
  ],
  ['cn=a b', 'cn=a    b', String.raw`cn=\ a \20 b\ `, 'cn= a b '],
  [
    'cn=ann+employeenumber=7,dc=test',
    'employeeNumber=7+cn=ann,dc=test',
    'cn=Ann + 2.16.840.1.113730.3.1.3=7,dc=test',
  ],
  [String.raw`cn=\23 one\2b\22\3c\3e\5c\3b`, String.raw`cn=\# One\+\"\<\>\\\;`],
  ['cn=a=b', String.raw`cn=a\=b`, String.raw`cn=a\3db`],
  [String.raw`cn=\23one`, String.raw`cn=\#one`],
  ['cn=café', 'cn=CAFÉ', 'cn=cafe\u0301', String.raw`cn=caf\c3\a9`, String.raw`cn=caf\C3\89`],
  ['cn=ανν', 'CN=ΑΝΝ'],
  [String.raw`cn=\ff\fe`, String.raw`CN=\FF\FE`],
  ['cn=#030200ff', 'cn=#030200FF'],
  [String.raw`cn=a\00b`, 'cn=a\0b', String.raw`cn=A\00b`],
  ['cn=', 'CN= ', String.raw`cn=\ `, 'cn=""'],
  ['1.2.3=x', 'OID.1.2.3=X'],
];

test.each(spellings)(
  'the canonical form of every spelling of the entry %s is the same',
  (canonical, ...others) => {
    for (const spelling of [canonical, ...others])
      expect([spelling, canonicalDn(spelling)]).toEqual([spelling, canonical]);
  },
);

const different: readonly (readonly [string, string])[] = [
  ['uid=zed,ou=people', 'uid=zed,ou=staff'],
  ['uid=zed,ou=people', 'ou=people,uid=zed'],
  ['uid=zed', 'cn=zed'],
  ['uid=zed', 'uid=ｚｅｄ'],
  ['cn=k', 'cn=\u212a'],
  ['cn=i', 'cn=\u0130'],
  ['cn=e', 'cn=é'],
  ['cn=ss', 'cn=ß'],
  ['cn=a b', 'cn=ab'],
  ['cn=a,cn=b', 'cn=a+cn=b'],
  ['cn=a,cn=b', String.raw`cn=a\,cn=b`],
  ['cn=a', String.raw`cn=a\00`],
  ['cn=#04017a', String.raw`cn=\#04017a`],
  ['krbPrincipalName=Ann', 'krbPrincipalName=ann'],
];

test.each(different)('the entries %j and %j have different canonical forms', (one, other) => {
  expect(canonicalDn(one)).not.toBe(canonicalDn(other));
});

test('the canonical form keeps the case of values whose attribute type compares exactly, by each name of the type', () => {
  const exact = ['userid'];
  expect(canonicalDn('UID=Zed,OU=People', exact)).toBe('uid=Zed,ou=people');
  expect(canonicalDn('0.9.2342.19200300.100.1.1=Zed,ou=people', exact)).toBe('uid=Zed,ou=people');
  expect(canonicalDn('uid= Zed  Z ', exact)).toBe('uid=Zed Z');
});

const malformed = [
  '',
  ' ',
  'zed',
  'uid',
  'uid zed',
  '=zed',
  ',uid=zed',
  'uid=zed,',
  'uid=zed,,ou=people',
  'uid=zed+',
  'uid=zed+,ou=people',
  'u_d=zed',
  '1uid=zed',
  '2.5.=zed',
  'uid=#zz',
  'uid=#0',
  'uid=#',
  'uid=#04037a6564zed',
  'uid="zed',
  'uid="zed"x',
  'uid=z"ed',
  'uid=<zed>',
  `uid=zed${BACKSLASH}`,
  String.raw`uid=\zed`,
  String.raw`uid=\7`,
  '<GUID=5a3b0c4e-0000-0000-0000-000000000000>',
  'zed@corp.test',
  String.raw`CORP\zed`,
];

test.each(malformed)('the text %j is no DN, and its own canonical form', (text) => {
  expect(isDn(text)).toBe(false);
  expect(canonicalDn(text)).toBe(text);
});

test('a canonical form is a DN, and its own canonical form', () => {
  for (const [canonical] of spellings) {
    expect(isDn(canonical)).toBe(true);
    expect(canonicalDn(canonical)).toBe(canonical);
  }
});
