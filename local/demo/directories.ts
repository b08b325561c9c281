import { Secret } from '../../model/passwords/secret';
import { type Directory, ldifEntry, ssha } from '../slapd';
import {
  APPS_SUFFIX,
  appsDn,
  CORP_SUFFIX,
  corpDn,
  type DemoPerson,
  DISABLED,
  HERO,
  HERO_SECOND_ACCOUNT,
  mailOf,
  people,
  REFUSED,
  REFUSED_MIN_LENGTH,
} from './company';

/** The passwords of the accounts that may write passwords in the demo directories. */
export interface DirectorySecrets {
  /** For the service account of Lockstep. */
  readonly service: Secret;
  /** For the administrator. Each start makes another one. */
  readonly admin: Secret;
}

export const adminDn = (suffix: string): string => `cn=admin,${suffix}`;
export const serviceDn = (suffix: string): string => `cn=lockstep,ou=services,${suffix}`;

/** slapo-ppolicy(5): an account with this lock time stays locked until an administrator unlocks it. */
const LOCKED_FOR_GOOD = '000001010000Z';

/** The longest password history of a demo directory. */
export const MOST_REMEMBERED = 5;

/** The two OpenLDAP directories of the company: two suffixes of one server, each with its own policy and history. */
export const demoDirectories = (corp: DirectorySecrets, apps: DirectorySecrets): Directory[] => [
  directory(CORP_SUFFIX, corp, { pwdMinLength: '8', pwdInHistory: `${MOST_REMEMBERED}` }, [
    unit(CORP_SUFFIX, 'people'),
    ...people.map(corpEntry),
  ]),
  directory(APPS_SUFFIX, apps, { pwdMinLength: '10', pwdInHistory: '3' }, [
    unit(APPS_SUFFIX, 'users'),
    ldifEntry(strictPolicy, policyEntry('strict', { pwdMinLength: String(REFUSED_MIN_LENGTH) })),
    ...people.filter((person) => person.apps).map(appsEntry),
    heroSecondEntry(),
  ]),
];

const strictPolicy = `cn=strict,ou=policies,${APPS_SUFFIX}`;

function directory(
  suffix: string,
  secrets: DirectorySecrets,
  policy: Readonly<Record<string, string>>,
  entries: readonly string[],
): Directory {
  const lockstep = `by dn.exact="${serviceDn(suffix)}"`;
  return {
    suffix,
    adminHash: ssha(secrets.admin),
    policy: { pwdCheckQuality: '2', pwdMaxFailure: '5', pwdLockout: 'TRUE', ...policy },
    rules: [
      `access to attrs=userPassword ${lockstep} =cw by self =w by anonymous auth by * none`,
      `access to attrs=pwdAccountLockedTime,pwdReset ${lockstep} write by * none`,
      `access to * ${lockstep} read by self read by * none`,
      `limits dn.exact="${serviceDn(suffix)}" size=unlimited`,
    ],
    ldif: [
      suffixEntry(suffix),
      unit(suffix, 'services'),
      unit(suffix, 'policies'),
      ldifEntry(serviceDn(suffix), {
        objectClass: ['organizationalRole', 'simpleSecurityObject'],
        cn: 'lockstep',
        userPassword: ssha(secrets.service),
      }),
      ...entries,
    ].join(''),
  };
}

function suffixEntry(suffix: string): string {
  const [attribute = '', value = ''] = suffix.split(',')[0]?.split('=') ?? [];
  return attribute === 'dc'
    ? ldifEntry(suffix, { objectClass: 'domain', dc: value })
    : ldifEntry(suffix, { objectClass: 'organization', o: value });
}

const unit = (suffix: string, name: string): string =>
  ldifEntry(`ou=${name},${suffix}`, { objectClass: 'organizationalUnit', ou: name });

const policyEntry = (name: string, rules: Readonly<Record<string, string>>) => ({
  objectClass: ['device', 'pwdPolicy'],
  cn: name,
  pwdAttribute: 'userPassword',
  pwdCheckQuality: '2',
  ...rules,
});

function corpEntry(one: DemoPerson, index: number): string {
  const [givenName = '', surname = ''] = one.fullName.split(' ');
  return ldifEntry(corpDn(one.name), {
    objectClass: 'inetOrgPerson',
    uid: one.name,
    cn: one.fullName,
    givenName,
    sn: surname,
    mail: mailOf(one),
    employeeNumber: String(1001 + index),
    userPassword: unknownHash(),
  });
}

function appsEntry(one: DemoPerson): string {
  return ldifEntry(appsDn(one.name), {
    objectClass: 'inetOrgPerson',
    cn: one.name,
    sn: one.fullName,
    mail: mailOf(one),
    userPassword: unknownHash(),
    ...(one.name === REFUSED ? { pwdPolicySubentry: strictPolicy } : {}),
    ...(one.name === DISABLED ? { pwdAccountLockedTime: LOCKED_FOR_GOOD } : {}),
  });
}

/** Has no mail address, so that no correlation rule finds it. An operator links it. */
const heroSecondEntry = (): string =>
  ldifEntry(appsDn(HERO_SECOND_ACCOUNT), {
    objectClass: 'inetOrgPerson',
    cn: HERO_SECOND_ACCOUNT,
    sn: `${HERO}, administrator`,
    userPassword: unknownHash(),
  });

/** The hash of a password that no person knows. */
const unknownHash = (): string => ssha(randomPassword());

/** Has the three kinds of characters that a domain requires. */
export const randomPassword = (): Secret => Secret.fromText(`Aa-${crypto.randomUUID()}`);
