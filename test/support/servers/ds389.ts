import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'ldapts';
import { certificatesIn } from '../../../local/certificates';
import { managerDn, startDs389, unpackedDs389 } from '../../../local/ds389';
import { ssha } from '../../../local/slapd';
import { Secret } from '../../../model/passwords/secret';
import { CannotBeHad, type ServerStarter } from '../servers';

export const ds389Suffix = 'dc=ds389,dc=test';

/** Service accounts, with the attributes of accounts that each may write. */
const services = {
  /** Has the rights that the docs recommend. */
  lockstep: ['userPassword', 'passwordRetryCount', 'passwordExpirationTime'],
  /** May set passwords but not restore a lock. */
  writer: ['userPassword'],
  /** May read but not set a password. */
  reader: [],
  /** May set passwords and not read the entryUUID, as if the server had no plugin for it. */
  unaware: ['userPassword', 'passwordRetryCount', 'passwordExpirationTime'],
  /** A password administrator, to which no policy applies. */
  manager: ['userPassword'],
} as const;

/** The policy of every account without its own policy. */
const policy = {
  passwordCheckSyntax: 'on',
  passwordMinLength: '8',
  passwordMinCategories: '2',
  // A random password may contain three letters of the person's name.
  passwordMinTokenLength: '30',
  passwordHistory: 'on',
  passwordInHistory: '3',
  passwordLockout: 'on',
  passwordMaxFailure: '5',
  passwordLockoutDuration: '300',
  passwordMustChange: 'on',
  passwordTrackUpdateTime: 'on',
  'nsslapd-pwpolicy-local': 'on',
  // Without this, only a password administrator may write hashes.
  'nsslapd-allow-hashed-passwords': 'on',
  // Without this, a login replaces a hash by one of the server's scheme.
  'nsslapd-enable-upgrade-hash': 'off',
};

/** 389 Directory Server. Facts: `url`, `port`, `caFile`, `otherCaFile`, and passwords of `manager` and each service account. */
export const ds389: ServerStarter = {
  name: 'ds389',
  start: async (dir, report) => {
    await unpackedDs389(report).catch((error: Error) => {
      throw new CannotBeHad(error.message);
    });
    const names = ['admin', ...Object.keys(services)];
    const passwords = Object.fromEntries(
      names.map((name) => [name, `Service-${randomBytes(12).toString('base64url')}-1!`]),
    );
    const { admin = '' } = passwords;
    const server = await startDs389({
      ...{ dir, suffixes: [ds389Suffix], report },
      managerHash: ssha(Secret.fromText(admin)),
      config: {
        ...policy,
        passwordAdminDN: serviceDn('manager'),
        aci: aci('policies', 'password*', 'read, search, compare', serviceDn('*')),
      },
    });
    const { url, caFile } = server;
    const client = new Client({ url, tlsOptions: { ca: [readFileSync(caFile)] }, timeout: 50_000 });
    await client.bind(managerDn, admin);
    await seed(client, passwords);
    await client.unbind();
    const other = await certificatesIn(path.join(dir, 'other-authority'));
    return {
      facts: { url, port: String(server.port), caFile, otherCaFile: other.caFile, ...passwords },
      stop: server.stop,
    };
  },
};

const serviceDn = (name: string) => `cn=${name},ou=services,${ds389Suffix}`;

const aci = (name: string, attributes: string, rights: string, to: string) =>
  `(targetattr="${attributes}")(version 3.0; acl "${name}"; allow (${rights}) userdn="ldap:///${to}";)`;

async function seed(client: Client, passwords: Readonly<Record<string, string>>): Promise<void> {
  await client.add(ds389Suffix, {
    objectClass: ['top', 'domain'],
    dc: 'ds389',
    aci: [
      // Everything except the hashes can be read.
      `(targetattr!="userPassword || passwordHistory")(version 3.0; acl "read"; allow (read, search, compare) userdn="ldap:///all";)`,
      // In the entry of a policy, passwordHistory is a switch.
      `(targetattr="passwordHistory")(targetfilter="(objectClass=passwordPolicy)")(version 3.0; acl "policies"; allow (read, search, compare) userdn="ldap:///all";)`,
      `(targetattr="entryUUID")(version 3.0; acl "unaware"; deny (read, search, compare) userdn="ldap:///${serviceDn('unaware')}";)`,
      ...Object.entries(services)
        .filter(([, attributes]) => attributes.length > 0)
        .map(([name, attributes]) => aci(name, attributes.join(' || '), 'write', serviceDn(name))),
    ],
  });
  for (const ou of ['people', 'services'])
    await client.add(`ou=${ou},${ds389Suffix}`, { objectClass: 'organizationalUnit', ou });
  for (const name of Object.keys(services))
    await client.add(serviceDn(name), {
      objectClass: ['organizationalRole', 'simpleSecurityObject'],
      cn: name,
      userPassword: passwords[name] ?? '',
      // Without this, passwordMustChange would force the account to change its password first.
      passwordExpirationTime: '19700101000001Z',
      ...{ nsSizeLimit: '-1', nsLookThroughLimit: '-1' },
    });
}
