import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { randomPassword, serviceDn } from '../local/demo/directories';
import { type Directory, ldifEntry, ssha } from '../local/slapd';
import { Secret } from '../model/passwords/secret';
import {
  accountsOf,
  type BenchPerson,
  everybody,
  type SourceName,
  sourceNames,
  suffixes,
} from './people';

/** File with the service password of each source. */
export type SecretFiles = Readonly<Record<SourceName, string>>;

export interface BenchDirectories {
  readonly directories: readonly Directory[];
  readonly secretFiles: SecretFiles;
}

/** The two directories that both sides write to. They are two suffixes of one server, with the rights that Lockstep needs. */
export function benchDirectories(
  stateDir: string,
  people: readonly BenchPerson[] = everybody,
): BenchDirectories {
  const dir = path.join(stateDir, 'secrets');
  mkdirSync(dir, { mode: 0o700 });
  const entries = sourceNames.map((source) => {
    const file = path.join(dir, source);
    const password = randomBytes(24).toString('base64url');
    writeFileSync(file, password, { mode: 0o600 });
    return { source, file, directory: directory(source, Secret.fromText(password), people) };
  });
  return {
    directories: entries.map((entry) => entry.directory),
    secretFiles: Object.fromEntries(
      entries.map(({ source, file }) => [source, file]),
    ) as SecretFiles,
  };
}

function directory(source: SourceName, service: Secret, people: readonly BenchPerson[]): Directory {
  const suffix = suffixes[source];
  const lockstep = `by dn.exact="${serviceDn(suffix)}"`;
  return {
    suffix,
    adminHash: ssha(randomPassword()),
    policy: { pwdCheckQuality: '2', pwdMinLength: '8', pwdMaxFailure: '5', pwdLockout: 'TRUE' },
    rules: [
      `limits dn.exact="${serviceDn(suffix)}" size=unlimited`,
      `access to attrs=userPassword ${lockstep} =cw by anonymous auth by * none`,
      `access to attrs=pwdAccountLockedTime,pwdReset ${lockstep} write by * none`,
      `access to * ${lockstep} read by * none`,
    ],
    ldif: [
      root(suffix),
      ...['services', 'people'].map((name) =>
        ldifEntry(`ou=${name},${suffix}`, { objectClass: 'organizationalUnit', ou: name }),
      ),
      ldifEntry(serviceDn(suffix), {
        objectClass: ['organizationalRole', 'simpleSecurityObject'],
        cn: 'lockstep',
        userPassword: ssha(service),
      }),
      ...people
        .flatMap(accountsOf)
        .filter((account) => account.source === source)
        .map(({ dn, uid }) => personEntry(dn, uid)),
    ].join(''),
  };
}

function root(suffix: string): string {
  const [attribute = '', value = ''] = suffix.split(',')[0]?.split('=') ?? [];
  const objectClass = attribute === 'dc' ? 'domain' : 'organization';
  return ldifEntry(suffix, { objectClass, [attribute]: value });
}

const personEntry = (dn: string, uid: string): string =>
  ldifEntry(dn, {
    objectClass: 'inetOrgPerson',
    uid,
    cn: uid,
    sn: uid,
    userPassword: ssha(randomPassword()),
  });
