import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { randomPassword, serviceDn } from '../../local/demo/directories';
import type { Directory } from '../../local/slapd';
import { ldifEntry, ssha } from '../../local/slapd';
import { Secret } from '../../model/passwords/secret';

/**
 * The directories of the bench. `corp` captures with the check module, a program reports changes of `apps`, and `branch` receives
 * the passwords of the domain.
 */
export const suffixes = {
  corp: 'dc=corp,dc=bench',
  apps: 'dc=apps,dc=bench',
  branch: 'dc=branch,dc=bench',
} as const;
export type SourceName = keyof typeof suffixes;
const sourceNames = Object.keys(suffixes) as SourceName[];

export const people = Array.from({ length: 64 }, (_, index) => `person-${index}`);
export const dnOf = (source: SourceName, person: string) =>
  `uid=${person},ou=people,${suffixes[source]}`;

export interface CaptureDirectories {
  readonly directories: readonly Directory[];
  readonly secretFiles: Readonly<Record<SourceName, string>>;
  /** Password of the service account of each directory. */
  readonly password: string;
}

/**
 * Prepares the directories and their secrets.
 * @param folder folder for the module, which slapd may enter
 * @param socket socket of the relay, to which slapd may connect
 */
export function captureDirectories(
  stateDir: string,
  folder: string,
  socket: string,
): CaptureDirectories {
  const secrets = path.join(stateDir, 'secrets');
  mkdirSync(secrets, { mode: 0o700 });
  const password = randomBytes(24).toString('base64url');
  const checked = { pwdCheckModule: compiledModule(folder), pwdCheckModuleArg: `closed:${socket}` };
  const secretFiles = Object.fromEntries(
    sourceNames.map((source) => {
      const file = path.join(secrets, source);
      writeFileSync(file, password, { mode: 0o600 });
      return [source, file];
    }),
  ) as Record<SourceName, string>;
  return {
    directories: sourceNames.map((source) =>
      directory(source, password, source === 'corp' ? checked : {}),
    ),
    ...{ secretFiles, password },
  };
}

/** Compiles the check module. @throws Error if there is no C compiler */
function compiledModule(folder: string): string {
  const made = path.join(folder, 'lockstep_check.so');
  const source = path.resolve('capture/shims/openldap/lockstep_check.c');
  execFileSync('cc', ['-O2', '-fPIC', '-shared', '-o', made, source]);
  return made;
}

function directory(
  source: SourceName,
  password: string,
  policy: Readonly<Record<string, string>>,
): Directory {
  const suffix = suffixes[source];
  const lockstep = `by dn.exact="${serviceDn(suffix)}"`;
  const unit = (name: string) =>
    ldifEntry(`ou=${name},${suffix}`, { objectClass: 'organizationalUnit', ou: name });
  return {
    suffix,
    adminHash: ssha(randomPassword()),
    policy: { pwdCheckQuality: '2', pwdMinLength: '8', ...policy },
    rules: [
      `access to attrs=userPassword ${lockstep} =cw by anonymous auth by * none`,
      `access to attrs=pwdAccountLockedTime,pwdReset ${lockstep} write by * none`,
      `access to * ${lockstep} read by * none`,
    ],
    ldif: [
      ldifEntry(suffix, { objectClass: 'domain', dc: source }),
      ...['services', 'people'].map(unit),
      ldifEntry(serviceDn(suffix), {
        objectClass: ['organizationalRole', 'simpleSecurityObject'],
        cn: 'lockstep',
        userPassword: ssha(Secret.fromText(password)),
      }),
      ...people.map((uid) =>
        ldifEntry(dnOf(source, uid), {
          ...{ objectClass: 'inetOrgPerson', uid, cn: uid, sn: uid },
          userPassword: ssha(randomPassword()),
        }),
      ),
    ].join(''),
  };
}
