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

/** Who may do what with passwords of the demo directories. */
export interface DirectorySecrets {
  /** Of the service account of Lockstep. */
  readonly service: Secret;
  /** Of the administrator, made anew at each start. */
  readonly admin: Secret;
}

export const adminDn = (suffix: string): string => `cn=admin,${suffix}`;
export const serviceDn = (suffix: string): string => `cn=lockstep,ou=services,${suffix}`;

/** slapo-ppolicy(5) sets this on an account that an administrator has locked for good. */
const LOCKED_FOR_GOOD = '000001010000Z';

/** Passwords that a directory of the demo refuses to see again, at the most. */
export const MOST_REMEMBERED = 5;

/** The two OpenLDAP directories of the company: one server, a suffix each, with policies and histories of their own. */
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
    userPassword: nobodyKnows(),
  });
}

function appsEntry(one: DemoPerson): string {
  return ldifEntry(appsDn(one.name), {
    objectClass: 'inetOrgPerson',
    cn: one.name,
    sn: one.fullName,
    mail: mailOf(one),
    userPassword: nobodyKnows(),
    ...(one.name === REFUSED ? { pwdPolicySubentry: strictPolicy } : {}),
    ...(one.name === DISABLED ? { pwdAccountLockedTime: LOCKED_FOR_GOOD } : {}),
  });
}

/** Without a mail address, so that no rule takes it for her first one: an operator links it. */
const heroSecondEntry = (): string =>
  ldifEntry(appsDn(HERO_SECOND_ACCOUNT), {
    objectClass: 'inetOrgPerson',
    cn: HERO_SECOND_ACCOUNT,
    sn: `${HERO}, administrator`,
    userPassword: nobodyKnows(),
  });

/** People have forgotten their passwords anyway. */
const nobodyKnows = (): string => ssha(randomPassword());

/** With the three kinds of characters that a domain asks for. */
export const randomPassword = (): Secret => Secret.fromText(`Aa-${crypto.randomUUID()}`);
