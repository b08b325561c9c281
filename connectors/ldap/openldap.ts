import type { Control, Entry } from 'ldapts';
import { EqualityFilter } from 'ldapts';
import type { Connector, ConnectorTools, VerifyAnswer } from '../contract';
import { type NativeIds, textOf, valuesOf } from './accounts';
import { checkOpenLdap } from './check';
import { compareHash } from './compare';
import { PasswordPolicyControl, UsabilityControl } from './controls';
import type { Standing } from './dialect';
import { openDirectory } from './directory';
import { readPolicies } from './policies';
import { judgeLogin } from './refusals';
import type { LdapSettings } from './settings';
import { passwordWriter } from './write';

export const entryUuids: NativeIds = {
  attribute: 'entryUUID',
  binary: false,
  idOf: (entry) => textOf(entry, 'entryUUID'),
  filterFor: (id) => new EqualityFilter({ attribute: 'entryUUID', value: id }),
};

/** OpenLDAP, and every server that speaks LDAPv3 and keeps to RFC 4530. */
export const openLdap = (settings: LdapSettings, tools: ConnectorTools): Connector =>
  openDirectory(settings, tools, {
    ids: entryUuids,
    standingAttributes,
    standingControls: () => [new UsabilityControl()],
    standingOf,
    // "Invalid credentials" is all that a locked or disabled account hears.
    loginTellsWhy: false,
    async logIn(link, dn, password): Promise<VerifyAnswer> {
      const policy = new PasswordPolicyControl();
      const reply = await link.ask((client) => client.bind(dn, password.text(), [policy]));
      return reply.ok ? { result: 'holds', proof: 'login' } : judgeLogin(reply, policy.error);
    },
    compareHash: (link, request) => compareHash(link, request, entryUuids, settings),
    setPassword: passwordWriter(settings, entryUuids),
    check: (link) => checkOpenLdap(link, settings, entryUuids),
    policies: (link) => readPolicies(link, settings.base),
  });

/** Attributes that mean, when they are true, that an administrator has switched the account off. */
const switches = ['nsAccountLock', 'loginDisabled', 'ds-pwp-account-disabled'];

const standingAttributes = [
  'pwdAccountLockedTime',
  'pwdAccountTmpLockoutEnd',
  'pwdStartTime',
  'pwdEndTime',
  'pwdReset',
  'pwdChangedTime',
  ...switches,
];

/** slapo-ppolicy(5): locked until an administrator says otherwise. */
const FOR_GOOD = '000001010000Z';

function standingOf(entry: Entry, controls: readonly Control[]): Standing {
  const lockedAt = textOf(entry, 'pwdAccountLockedTime');
  const usability = controls.find((control) => control instanceof UsabilityControl);
  const at = (attribute: string) => generalizedTime(textOf(entry, attribute))?.getTime();
  const now = Date.now();
  return {
    disabled:
      lockedAt === FOR_GOOD ||
      (at('pwdEndTime') ?? now) < now ||
      (at('pwdStartTime') ?? now) > now ||
      switches.some((name) => isTrue(entry, name)),
    // The time of a lock stays in the entry after the lock has ended, until the next login.
    locked:
      (lockedAt !== null && lockedAt !== FOR_GOOD && usability?.available !== true) ||
      (at('pwdAccountTmpLockoutEnd') ?? now) > now,
    mustChange: isTrue(entry, 'pwdReset'),
    passwordChangedAt: generalizedTime(textOf(entry, 'pwdChangedTime')),
  };
}

const isTrue = (entry: Entry, attribute: string) =>
  valuesOf(entry, attribute).some((value) => String(value).toUpperCase() === 'TRUE');

/** RFC 4517 §3.3.13, as servers write it: in UTC, with seconds. */
function generalizedTime(text: string | null): Date | null {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:[.,]\d+)?Z$/.exec(text ?? '');
  if (parts === null) return null;
  const [, year, month, day, hour, minute, second] = parts.map(Number);
  return new Date(Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second));
}
