import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'ldapts';
import { type Ds389, managerDn, startDs389 } from '../../local/ds389';
import { ssha } from '../../local/slapd';
import { Secret } from '../../model/passwords/secret';
import { applyLdif } from './ldif';

const SUFFIX = 'dc=example,dc=com';
export const people = `ou=people,${SUFFIX}`;
export const serviceDn = (name: string) => `cn=${name},ou=services,${SUFFIX}`;

/** The two blocks of LDIF in the documentation, in their order: both are indented, as steps of a list. */
const docs = readFileSync(path.resolve('docs/captures/389-ds.md'), 'utf8');
const [switchOn = '', letRead = ''] = [...docs.matchAll(/```ldif\n(.*?)```/gs)].map(
  ([, ldif = '']) => ldif.replaceAll(/^ +/gm, ''),
);

/** It also finds them in a changelog that was created again. */
export const letRelayRead = (admin: Client): Promise<void> => applyLdif(admin, letRead);

/**
 * A 389 Directory Server that keeps passwords in its changelog, set up as the docs say.
 * @param dir a folder that the unix user nobody may enter
 * @param passwords of `admin`, `relay` and other service accounts, which may write passwords
 */
export async function startRetroDs389(
  dir: string,
  passwords: Readonly<Record<string, string>>,
): Promise<Ds389> {
  const { admin: adminPassword = '', ...services } = passwords;
  const ds = await startDs389({
    ...{ dir, suffixes: [SUFFIX] },
    managerHash: ssha(Secret.fromText(adminPassword)),
    config: { passwordLockout: 'on', passwordMaxFailure: '3' },
    report: () => {},
  });
  const before = await manager(ds, adminPassword);
  await applyLdif(before, switchOn);
  await before.unbind();
  const again = await ds.restart();
  const admin = await manager(again, adminPassword);
  await seed(admin, services);
  await letRelayRead(admin);
  await admin.unbind();
  return again;
}

export const clientOf = ({ url, caFile }: Ds389): Client =>
  new Client({ url, tlsOptions: { ca: [readFileSync(caFile)] }, timeout: 50_000 });

export async function manager(ds: Ds389, password: string): Promise<Client> {
  const client = clientOf(ds);
  await client.bind(managerDn, password);
  return client;
}

async function seed(admin: Client, services: Readonly<Record<string, string>>): Promise<void> {
  const aci = (what: string, name: string, rights: string, who: string) =>
    `(targetattr${what})(version 3.0; acl "${name}"; allow (${rights}) userdn="ldap:///${who}";)`;
  const written = '="userPassword || passwordRetryCount || passwordExpirationTime"';
  await admin.add(SUFFIX, {
    ...{ objectClass: ['top', 'domain'], dc: 'example' },
    aci: [
      aci('!="userPassword"', 'read', 'read, search, compare', 'all'),
      aci('="userPassword"', 'own', 'write', 'self'),
      aci(written, 'lockstep', 'write', serviceDn('lockstep')),
    ],
  });
  for (const ou of ['people', 'services'])
    await admin.add(`ou=${ou},${SUFFIX}`, { objectClass: 'organizationalUnit', ou });
  for (const [cn, userPassword] of Object.entries(services)) {
    const objectClass = ['organizationalRole', 'simpleSecurityObject'];
    await admin.add(serviceDn(cn), { objectClass, cn, userPassword });
  }
}
