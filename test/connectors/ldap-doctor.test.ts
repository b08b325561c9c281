import path from 'node:path';
import { ldap } from '../../connectors/ldap/kind';
import { ldapSettings } from '../../connectors/ldap/settings';
import { ldifEntry, type Slapd, ssha, startSlapd } from '../../local/slapd';
import { Secret } from '../../model/passwords/secret';
import { describeWith } from '../support/servers';
import { openFolder } from '../support/shims';
import { freshPassword, write } from './conformance/bench';
import type { Settings } from './conformance/subject';

/** One thing that is wrong in a directory, and the finding that names it. */
interface Row {
  readonly broken: string;
  /** Rules of the database in slapd.conf, after those of the access. */
  readonly rules?: readonly string[];
  /** Replaces the access that a working directory has. */
  readonly access?: readonly string[];
  readonly policy?: Readonly<Record<string, string>>;
  readonly settings?: Settings;
  /** Whether the account is linked with its id. */
  readonly linked?: boolean;
  /** The finding: its check and a part of what it says. Null if nothing is wrong. */
  readonly finding: readonly [check: string, says: string] | null;
}

const ACCESS = ['access to * by users write by anonymous auth'];
const SHADOW = [
  'syncrepl rid=001 provider=ldap://127.0.0.1:1 bindmethod=simple retry="60 +" searchbase="SUFFIX"',
];

const rows: readonly Row[] = [
  { broken: 'nothing', finding: null },
  { broken: 'nothing, by modify,', settings: { write: 'modify' }, finding: null },
  {
    broken: 'the right to write userPassword',
    access: ['access to attrs=userPassword by anonymous auth by users read', ...ACCESS],
    finding: ['rights', 'may not write userPassword'],
  },
  {
    broken: 'the right to read the accounts',
    access: ['access to dn.subtree="ou=people,SUFFIX" by anonymous auth', ...ACCESS],
    finding: ['base', 'cannot read ou=people'],
  },
  {
    broken: 'the right to use the extended operation',
    rules: ['restrict extended=1.3.6.1.4.1.4203.1.11.1'],
    finding: ['rights', 'RFC 3062'],
  },
  ...(['exop', 'modify'] as const).flatMap((mode): Row[] => [
    {
      broken: `the database, which is read-only, by ${mode},`,
      rules: ['readonly on'],
      settings: { write: mode },
      finding: ['rights', 'accepts no writes (53)'],
    },
    {
      broken: `the server, which is a replica without a referral, by ${mode},`,
      rules: SHADOW,
      settings: { write: mode },
      finding: ['rights', 'accepts no writes (53)'],
    },
    {
      broken: `the server, which is a replica with a referral, by ${mode},`,
      rules: [...SHADOW, 'updateref ldap://127.0.0.1:1'],
      settings: { write: mode },
      finding: ['rights', 'accepts no writes (10)'],
    },
    {
      broken: `the encryption that a write requires, by ${mode},`,
      rules: ['security update_ssf=1024'],
      settings: { write: mode },
      finding: ['rights', 'stronger encryption for a write (13)'],
    },
  ]),
  {
    broken: 'the setting passwordAttribute',
    settings: { passwordAttribute: 'sambaPassword', write: 'modify' },
    finding: ['rights', 'no attribute sambaPassword (17)'],
  },
  {
    broken: 'the policy, which requires the old password,',
    policy: { pwdSafeModify: 'TRUE' },
    finding: ['policy', 'pwdSafeModify'],
  },
  {
    broken: 'the right to read the id of an account that is linked with it',
    access: ['access to attrs=entryUUID by * none', ...ACCESS],
    linked: true,
    finding: ['native-id', 'writes no password to an account whose id'],
  },
];

/** A green doctor is never followed by changes that are all refused. */
describeWith(['slapd'], 'doctor of an OpenLDAP server', () => {
  const suffixOf = (row: Row) => `dc=broken${rows.indexOf(row)},dc=test`;
  const service = (suffix: string) => `cn=lockstep,ou=services,${suffix}`;
  const SECRET = 'The secret of the service account';
  let slapd: Slapd;
  beforeAll(async () => {
    slapd = await startSlapd({
      dir: path.join(openFolder(), 'slapd'),
      directories: rows.map((row) => {
        const suffix = suffixOf(row);
        const rules = [...(row.access ?? ACCESS), ...(row.rules ?? [])];
        return {
          ...{ suffix, policy: row.policy ?? {}, adminHash: ssha(Secret.fromText(SECRET)) },
          rules: rules.map((rule) => rule.replaceAll('SUFFIX', suffix)),
          ldif: entries(suffix),
        };
      }),
      report: () => {},
    });
  });
  afterAll(() => slapd.stop());

  const entries = (suffix: string) =>
    [
      ldifEntry(suffix, { objectClass: 'domain', dc: suffix.slice(3, suffix.indexOf(',')) }),
      ...['services', 'people'].map((ou) =>
        ldifEntry(`ou=${ou},${suffix}`, { objectClass: 'organizationalUnit', ou }),
      ),
      ldifEntry(service(suffix), {
        objectClass: ['organizationalRole', 'simpleSecurityObject'],
        ...{ cn: 'lockstep', userPassword: ssha(Secret.fromText(SECRET)) },
      }),
      ldifEntry(`uid=ada,ou=people,${suffix}`, {
        ...{ objectClass: 'inetOrgPerson', uid: 'ada', cn: 'Ada', sn: 'Test' },
        entryUUID: ID,
      }),
    ].join('');
  const ID = '11111111-2222-4333-8444-555555555555';

  test.each(rows)(
    'a change is refused, and doctor names the cause, if $broken is wrong',
    async (row) => {
      const suffix = suffixOf(row);
      const settings = {
        ...{ url: slapd.url, ca: slapd.caFile, base: `ou=people,${suffix}` },
        ...{ bindDn: service(suffix), bindPassword: '${file:secret}', ...row.settings },
      };
      const connector = await ldap.open(ldapSettings.parse(settings), {
        resolve: () => Secret.fromText(SECRET),
      });
      const wrong = (await connector.check()).filter(({ verdict }) =>
        ['wrong', 'warning'].includes(verdict),
      );
      const ref = { name: `uid=ada,ou=people,${suffix}`, nativeId: row.linked ? ID : null };
      const { result } = await write(connector, { ref }, freshPassword());
      await connector.close();
      expect(result).toBe(row.finding === null ? 'applied' : 'rejected');
      if (row.finding === null) return expect(wrong).toEqual([]);
      const [check, says] = row.finding;
      expect(wrong).toContainEqual(
        expect.objectContaining({ check, says: expect.stringContaining(says) }),
      );
    },
  );
});
