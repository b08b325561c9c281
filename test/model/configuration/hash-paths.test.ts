import { connectorKinds } from '../../../connectors/registry';
import { type CheckedKind, checkConfiguration } from '../../../model/configuration/check';
import { handedOver, hashPaths } from '../../../model/configuration/hash-paths';
import { type Form, forms, type Scheme, schemes } from '../../../model/hashes/encoding';
import { keeps } from '../../support/rules';

/** The real connector kinds, and one that never exposes a password, such as PingOne (seed 002). */
const vault = { accepts: forms, yields: [], proof: 'login', reportsCurrent: true } as const;
const kinds = new Map<string, CheckedKind>([
  ...connectorKinds,
  [
    'vault',
    {
      settings: (connectorKinds.get('ldap') as CheckedKind).settings,
      secretSettings: [],
      traits: { ...vault },
      traitsOf: () => vault,
    },
  ],
]);

const sql = (scheme: Scheme) => ({
  kind: 'sql-column',
  settings: {
    engine: 'postgres',
    host: 'db.example.com',
    port: 5432,
    user: 'lockstep',
    password: '${file:/run/secrets/db}',
    database: 'shop',
    table: 'people',
    keyColumn: 'login',
    passwordColumn: 'dbPassword',
    scheme,
  },
});
const directory = (kind: string, more: object = {}) => ({
  kind,
  settings: {
    url: 'ldaps://directory.example.com',
    bindDn: 'cn=lockstep',
    bindPassword: '${file:/run/secrets/directory}',
    base: 'dc=example,dc=com',
    ...more,
  },
});
const roles = {
  kind: 'postgres-role',
  settings: {
    host: 'db.example.com',
    user: 'lockstep',
    password: '${file:/run/secrets/roles}',
    database: 'postgres',
  },
};

/** Every kind of target, with the schemes that its settings let it store unchanged. */
const targets: Readonly<Record<string, { readonly source: object; readonly takes: Form[] }>> = {
  ldap: { source: directory('ldap'), takes: [] },
  'ldap that knows two schemes': {
    source: directory('ldap', { hashes: ['ssha512', 'argon2'] }),
    takes: ['ssha512', 'argon2'],
  },
  'active-directory': { source: directory('active-directory'), takes: [] },
  'postgres-role': { source: roles, takes: ['scram-sha-256'] },
  'sql-column': { source: sql('bcrypt'), takes: ['bcrypt'] },
};

type Capture = Readonly<Record<string, unknown>>;

const document = (capture: Capture, others: object, more: object = {}) => ({
  version: 1,
  sources: {
    shop: { ...sql('ssha512'), capture: { enabled: true, verifyCurrent: false, ...capture } },
    ...others,
  },
  policies: { everyone: {} },
  groups: {
    all: {
      policy: 'everyone',
      authSource: Object.keys(others)[0] ?? '',
      sources: ['shop', ...Object.keys(others)],
    },
  },
  ...more,
});
const issuesOf = (given: object) => {
  const checked = checkConfiguration(given, kinds);
  return checked.valid ? [] : checked.issues.map(({ path, says }) => `${path.join('.')}: ${says}`);
};

describe('a password in plaintext', () => {
  test('a password in plaintext is handed over unchanged when that is accepted, else as the strongest accepted hash', () => {
    expect(handedOver('plaintext', ['ssha', 'plaintext'])).toBe('plaintext');
    expect(handedOver('plaintext', ['ssha', 'argon2', 'ssha512'])).toBe('argon2');
    expect(handedOver('plaintext', [])).toBeNull();
  });
});

describe('a source that gives only hashes', () => {
  const pairs = Object.entries(targets).flatMap(([target, { takes }]) =>
    schemes.map((scheme) => [scheme, target, takes.includes(scheme)] as const),
  );
  test.each(pairs)(
    keeps('a configuration that carries %s to %s is accepted: %s', 20),
    (scheme, target, accepted) => {
      const issues = issuesOf(document({ forms: [scheme] }, { target: targets[target]?.source }));
      if (accepted) expect(issues).toEqual([]);
      else
        expect(issues).toEqual([
          expect.stringMatching(
            `^sources.shop.capture.forms: names ${scheme}, which cannot be carried from "shop" to "target": it accepts .*; remove ${scheme} here, or "target" from the group$`,
          ),
        ]);
    },
  );

  test('the issue of a hash that is not accepted says whether other settings of the target would accept it', () => {
    const of = (target: string) =>
      issuesOf(document({ forms: ['ssha512'] }, { target: targets[target]?.source }))[0];
    expect(of('ldap')).toContain('unless its settings add ssha512');
    expect(of('active-directory')).toContain('a hash cannot be turned into another one');
  });

  test('a captured hash goes to every source of every group of its auth source, and back to its source when that holds several accounts', () => {
    const knows = targets['ldap that knows two schemes']?.source;
    const more = {
      groups: {
        all: { policy: 'everyone', authSource: 'corp', sources: ['shop', 'corp'] },
        finance: { policy: 'everyone', authSource: 'corp', sources: ['ledger', 'domain'] },
      },
    };
    const others = { corp: knows, ledger: knows, domain: directory('active-directory') };
    expect(issuesOf(document({ forms: ['ssha512'] }, others, more))).toEqual([
      expect.stringContaining('"shop" to "domain"'),
    ]);
    const several = document({ forms: ['argon2'] }, { corp: knows });
    Object.assign(several.sources.shop, { multipleAccountPasswordSync: true });
    expect(issuesOf(several)).toEqual([expect.stringContaining('"shop" to "shop"')]);
  });

  test('a captured hash goes to no source with a password filter, and a source that is switched off does not matter', () => {
    const knows = targets['ldap that knows two schemes']?.source;
    const filtered = { ...knows, passwordFilter: { case: 'upper' } };
    expect(issuesOf(document({ forms: ['ssha512'] }, { corp: filtered }))).toEqual([
      expect.stringContaining(
        'its passwordFilter, or that of an application, cannot rewrite a hash',
      ),
    ]);
    const wiki = { applications: { wiki: { source: 'corp', passwordFilter: { case: 'upper' } } } };
    expect(issuesOf(document({ forms: ['ssha512'] }, { corp: knows }, wiki))).toHaveLength(1);
    const off = { ...targets.ldap?.source, enabled: false };
    expect(issuesOf(document({ forms: ['ssha512'] }, { corp: knows, off }))).toEqual([]);
  });

  test('a source that provides only hashes must not require the current password', () => {
    const knows = targets['ldap that knows two schemes']?.source;
    const asking = document({ forms: ['ssha512'], verifyCurrent: true }, { corp: knows });
    expect(issuesOf(asking)).toEqual([
      expect.stringMatching(/^sources\.shop\.capture\.verifyCurrent: must be false/),
    ]);
  });

  test('a source that provides hashes may also provide passwords in plaintext', () => {
    const knows = targets['ldap that knows two schemes']?.source;
    expect(issuesOf(document({ forms: ['plaintext', 'ssha512'] }, { corp: knows }))).toEqual([]);
  });
});

test('a source that never exposes passwords is refused as an origin', () => {
  const vault = { ...directory('vault'), capture: { enabled: true } };
  const one = document({}, { corp: targets.ldap?.source, vault });
  expect(issuesOf(one)).toEqual([
    expect.stringMatching(
      /^sources\.vault\.capture: is not possible: .* never exposes its passwords/,
    ),
  ]);
  expect(issuesOf(document({}, { corp: targets.ldap?.source, vault: directory('vault') }))).toEqual(
    [],
  );
});

test('the hash paths name the targets of the hashes of each source, and warn about weak ones', () => {
  const knows = directory('ldap', { hashes: ['ssha512', 'sha'] });
  const checked = checkConfiguration(
    document(
      { forms: ['ssha512', 'sha'] },
      { corp: knows },
      { applications: { reports: { source: 'corp' } } },
    ),
    kinds,
  );
  if (!checked.valid) throw new Error('not valid');
  const lost =
    'Credentials of "reports" will be out of sync: an application cannot sign in with a hash.';
  expect(hashPaths(checked.configuration)).toEqual([
    { from: 'shop', form: 'ssha512', to: ['corp'], warnings: [lost] },
    {
      from: 'shop',
      form: 'sha',
      to: ['corp'],
      warnings: [expect.stringMatching(/^sha is weak/), lost],
    },
  ]);
});
