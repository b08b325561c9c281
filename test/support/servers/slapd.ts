import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { certificatesIn } from '../../../local/certificates';
import { type Directory, ldifEntry, ssha, startSlapd } from '../../../local/slapd';
import { findSlapd } from '../../../local/slapd-program';
import { Secret } from '../../../model/passwords/secret';
import { CannotBeHad, type ServerStarter } from '../servers';

/** A suffix with a password policy, and one without. */
export const suffixes = { corp: 'dc=corp,dc=test', free: 'dc=free,dc=test' } as const;

/** Service accounts of each suffix, with their right on `userPassword`. */
const services = {
  /** Has the rights that the docs recommend. */
  lockstep: '=cw',
  /** May set passwords but not keep a lock, and gets at most three entries per search. */
  writer: '=cw',
  /** Has the rights that the docs recommend, but gets no paged results. */
  unpaged: '=cw',
  /** May read but not set a password. */
  reader: 'none',
  /** A password administrator (slapo-ppolicy(5)): no policy applies to it, and pwdMustChange forces a change after its writes. */
  manager: 'manage',
} as const;

const secret = () => randomBytes(12).toString('base64url');

/** OpenLDAP. Facts: `url`, `port`, `caFile`, `otherCaFile`, and the passwords of `admin` and of each service account. */
export const slapd: ServerStarter = {
  name: 'slapd',
  start: async (dir, report) => {
    // To check logins against hashes that OpenLDAP does not know by itself.
    const modules = ['pw-sha2', 'pw-pbkdf2', 'argon2'];
    await findSlapd(report, modules).catch((error: Error) => {
      throw new CannotBeHad(error.message);
    });
    const names = ['admin', ...Object.keys(services)];
    const passwords = Object.fromEntries(names.map((name) => [name, secret()]));
    const directories = [
      directory(suffixes.corp, passwords, {
        pwdCheckQuality: '2',
        pwdMinLength: '8',
        pwdMaxLength: '600',
        pwdInHistory: '3',
        pwdLockout: 'TRUE',
        pwdMaxFailure: '5',
        pwdLockoutDuration: '300',
        pwdMustChange: 'TRUE',
      }),
      directory(suffixes.free, passwords, {}),
    ];
    const server = await startSlapd({ dir, directories, modules, report });
    const { url, port, caFile } = server;
    const other = await certificatesIn(path.join(dir, 'other-authority'));
    return {
      facts: { url, port: String(port), caFile, otherCaFile: other.caFile, ...passwords },
      stop: server.stop,
    };
  },
};

function directory(
  suffix: string,
  passwords: Readonly<Record<string, string>>,
  policy: Directory['policy'],
): Directory {
  const hash = (name: string) => ssha(Secret.fromText(passwords[name] ?? ''));
  const dn = (name: string) => `cn=${name},ou=services,${suffix}`;
  const may = (rights: Readonly<Record<string, string>>) =>
    Object.entries(rights)
      .map(([name, right]) => `by dn.exact="${dn(name)}" ${right}`)
      .join(' ');
  const unit = (name: string) =>
    ldifEntry(`ou=${name},${suffix}`, { objectClass: 'organizationalUnit', ou: name });
  const service = (name: string) =>
    ldifEntry(dn(name), {
      objectClass: ['organizationalRole', 'simpleSecurityObject'],
      cn: name,
      userPassword: hash(name),
    });
  return {
    suffix,
    adminHash: hash('admin'),
    policy,
    rules: [
      `access to attrs=userPassword ${may(services)} by anonymous auth by * none`,
      `access to attrs=pwdAccountLockedTime,pwdReset ${may({ lockstep: 'write', manager: 'write' })} by users read`,
      'access to * by users read',
      `limits dn.exact="${dn('writer')}" size=3`,
      `limits dn.exact="${dn('unpaged')}" size=unlimited size.prtotal=disabled`,
      `limits dn.children="ou=services,${suffix}" size=unlimited`,
    ],
    ldif: [
      ldifEntry(suffix, { objectClass: 'domain', dc: suffix.slice(3, suffix.indexOf(',')) }),
      ...['people', 'services', 'policies'].map(unit),
      ...Object.keys(services).map(service),
    ].join(''),
  };
}
