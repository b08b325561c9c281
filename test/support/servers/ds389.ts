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

/** Attributes of accounts that each service account may write. */
const services = {
  /** As an administrator should set it up. */
  lockstep: ['userPassword', 'passwordRetryCount', 'passwordExpirationTime'],
  /** Sets passwords, but may not give back a lock. */
  writer: ['userPassword'],
  /** Reads, and may not set a password. */
  reader: [],
  /** A password administrator: no rule binds it. */
  manager: ['userPassword'],
} as const;

/** Rules for every account that has no policy of its own. */
const policy = {
  passwordCheckSyntax: 'on',
  passwordMinLength: '8',
  passwordMinCategories: '2',
  // A password of random letters may hold three of somebody's name.
  passwordMinTokenLength: '30',
  passwordHistory: 'on',
  passwordInHistory: '3',
  passwordLockout: 'on',
  passwordMaxFailure: '5',
  passwordLockoutDuration: '300',
  passwordMustChange: 'on',
  passwordTrackUpdateTime: 'on',
  'nsslapd-pwpolicy-local': 'on',
  // Else only a password administrator may write hashes.
  'nsslapd-allow-hashed-passwords': 'on',
  // Else a login replaces a hash by one of its own scheme.
  'nsslapd-enable-upgrade-hash': 'off',
};

/** Facts: `url`, `port`, `caFile`, `otherCaFile`, and the passwords of `manager` of the server and of each service account. */
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
    const client = new Client({ url, tlsOptions: { ca: [readFileSync(caFile)] }, timeout: 10_000 });
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
      // Everything but the hashes.
      `(targetattr!="userPassword || passwordHistory")(version 3.0; acl "read"; allow (read, search, compare) userdn="ldap:///all";)`,
      // In a policy it is a switch.
      `(targetattr="passwordHistory")(targetfilter="(objectClass=passwordPolicy)")(version 3.0; acl "policies"; allow (read, search, compare) userdn="ldap:///all";)`,
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
      // With passwordMustChange it would have to change its password first.
      passwordExpirationTime: '19700101000001Z',
      ...{ nsSizeLimit: '-1', nsLookThroughLimit: '-1' },
    });
}
