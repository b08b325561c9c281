import { type Entry, EqualityFilter } from 'ldapts';
import type { CodeOf } from '../../model/errors';
import { withCodePoints } from '../../model/passwords/code-points';
import type { Secret } from '../../model/passwords/secret';
import { zeroableBytes } from '../../model/passwords/zeroable';
import { isUuid } from '../../model/people/uuid';
import type {
  AccountRef,
  Connector,
  ConnectorTools,
  SetPasswordRequest,
  WriteAnswer,
} from '../contract';
import { type Accounts, type NativeIds, search, textOf, valuesOf } from '../ldap/accounts';
import { type Aim, act, type ServerActions } from '../ldap/act';
import type { AccountState, Use, View } from '../ldap/dialect';
import { openDirectory } from '../ldap/directory';
import { isDn } from '../ldap/dn';
import type { Link } from '../ldap/link';
import { locate } from '../ldap/locate';
import { dnNaming } from '../ldap/naming';
import {
  answerOf,
  change,
  named,
  replace,
  replyOrNull,
  retryOnLoss,
  sendModify,
} from '../ldap/requests';
import type { DirectorySettings } from '../ldap/settings';
import { checkActiveDirectory } from './check';
import { readPolicies } from './policies';
import { classifyLogin, classifyWrite } from './refusals';
import { readDomainControllers } from './replicas';
import type { ActiveDirectorySettings } from './settings';

/** Opens a connector for a domain. The name of an account is its DN; its native id is the objectGUID as Windows writes it. */
export function openActiveDirectory(
  settings: ActiveDirectorySettings,
  tools: ConnectorTools,
): Connector {
  const accounts: Accounts = {
    settings,
    ids: objectGuids,
    naming: dnNaming([]),
    principal: principalBySid,
  };
  return openDirectory(settings, tools, {
    accounts,
    view: async () => view,
    loginExplainsRefusal: true,
    async logIn(link, dn, password) {
      const reply = await link.ask((client) => client.bind(dn, password.text()));
      return reply.ok ? { result: 'holds', proof: 'login' } : classifyLogin(reply);
    },
    setPassword: (use, request) => resetPassword(use, request, accounts),
    act: (link, request) => act(link, request, { accounts, view, actions, aim }),
    check: (link) => checkActiveDirectory(link, settings, objectGuids),
    policies: readPolicies,
    replicas: readDomainControllers,
  });
}

const CONTROL = 'userAccountControl';
/** Attribute that shows whether a lock is in force now, which userAccountControl does not. */
const COMPUTED = 'msDS-User-Account-Control-Computed';
/** Attribute that is 0 for "must change at the next login". Writing -1 sets it to the current time. */
const LAST_SET = 'pwdLastSet';
const MUST_CHANGE = '0';
const CHANGED_NOW = '-1';

const DISABLED = 0x2;
const LOCKED = 0x10;
const NEVER_EXPIRES = 0x10000;
const SMARTCARD_REQUIRED = 0x40000;

/** Byte ranges of a GUID that Windows stores with the low byte first (MS-DTYP §2.3.4). */
const REVERSED = [
  [0, 4],
  [4, 6],
  [6, 8],
] as const;

const swapped = (guid: Buffer): Buffer => {
  const copy = Buffer.from(guid);
  for (const [start, end] of REVERSED) copy.subarray(start, end).reverse();
  return copy;
};

const objectGuids: NativeIds = {
  attributes: ['objectGUID'],
  binary: true,
  idsOf(entry) {
    const [bytes] = valuesOf(entry, 'objectGUID');
    if (!Buffer.isBuffer(bytes) || bytes.length !== 16) return [];
    const digits = swapped(bytes).toString('hex');
    return [digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')];
  },
  filterFor: (id) =>
    isUuid(id)
      ? new EqualityFilter({
          attribute: 'objectGUID',
          value: swapped(Buffer.from(id.replaceAll('-', ''), 'hex')),
        })
      : null,
};

const flagsIn = (entry: Entry, attribute: string): number => Number(textOf(entry, attribute) ?? 0);

function accountStateOf(entry: Entry): AccountState {
  const lastSet = textOf(entry, LAST_SET);
  return {
    disabled: (flagsIn(entry, CONTROL) & DISABLED) !== 0,
    locked: (flagsIn(entry, COMPUTED) & LOCKED) !== 0,
    mustChange: lastSet === MUST_CHANGE,
    passwordChangedAt: lastSet === null || lastSet === MUST_CHANGE ? null : fileTime(lastSet),
  };
}

/**
 * A value of 0 ends a lock, and forces a change. A domain ignores a forced change of an account whose password never
 * expires or that needs a smart card (MS-ADTS §3.1.1.4.5.17).
 */
const actions: ServerActions = {
  unlock: { changes: [replace('lockoutTime', '0')], undo: [] },
  'force-change': {
    changes: [replace(LAST_SET, MUST_CHANGE)],
    undo: [replace(LAST_SET, CHANGED_NOW)],
    ignored: async (_link, entry) => {
      const flags = flagsIn(entry, CONTROL);
      if ((flags & NEVER_EXPIRES) !== 0) return 'never_expires';
      return (flags & SMARTCARD_REQUIRED) === 0 ? null : 'smartcard';
    },
  },
};

const aim: Aim = async (_link, account) => ({ dn: lastingDn(account), controls: [] });

const view: View = {
  attributes: [CONTROL, COMPUTED, LAST_SET],
  controls: () => [],
  accountStateOf,
};

/** @param ticks tenths of a microsecond since 1601 */
const fileTime = (ticks: string): Date =>
  new Date(Number(BigInt(ticks) / 10_000n) - 11_644_473_600_000);

/**
 * Resets the password as an administrator would. A reset needs no old password and ignores the history, so a repeat is
 * harmless, and it neither enables nor unlocks the account. It would end "must change at the next login", so the same
 * request keeps that. If the service account lacks the right to unexpire passwords, a reset starts "must change at the
 * next login" instead (MS-SAMR §3.1.1.8.7), which a second request undoes.
 */
async function resetPassword(
  use: Use,
  { account, password }: SetPasswordRequest,
  accounts: Accounts,
): Promise<WriteAnswer> {
  const { answer, dn, mustChange } = await use(async (link) => {
    const unwritten = { dn: account.name, mustChange: false };
    const located = await locate(link, account, accounts, [LAST_SET, CONTROL]);
    if (!located.ok) return { ...unwritten, answer: classifyWrite(located) };
    if (!located.value.found) return { ...unwritten, answer: refused(located.value.problem) };
    const { entry, account: found } = located.value;
    const dn = lastingDn(found);
    // The domain has set a random password. Another one would allow logins without the smart card.
    if ((flagsIn(entry, CONTROL) & SMARTCARD_REQUIRED) !== 0)
      return { ...unwritten, answer: NO_PASSWORD };
    const kept = textOf(entry, LAST_SET) === MUST_CHANGE;
    const more = kept ? [replace(LAST_SET, MUST_CHANGE)] : [];
    const value = quotedUtf16(password);
    const reply = await replyOrNull(sendModify(link, dn, 'unicodePwd', value, more));
    return { answer: named(answerOf(reply, classifyWrite), found), dn, mustChange: kept };
  });
  if (!mustChange && (answer.result === 'applied' || answer.result === 'ambiguous'))
    await retryOnLoss(use, (link) => undoForcedChange(link, dn));
  return answer;
}

const refused = (reason: CodeOf<'rejected'>): WriteAnswer => ({
  result: 'rejected',
  reason,
  vendorCode: null,
});
const NO_PASSWORD = refused('no_own_password');

/**
 * A DN that means the same entry after a rename (MS-ADTS §3.1.1.3.1.2.4). Between a read and a write, the entry may get
 * another name, and another entry its name.
 */
const lastingDn = ({ name, nativeId }: AccountRef): string =>
  nativeId === null ? name : `<GUID=${nativeId}>`;

/**
 * Returns a name by which the entry of the login can be read: its DN by the settings, or else its SID, which is the first
 * one in the token of the connection (MS-ADTS §3.1.1.3.2). The settings may name the account in a form of Windows.
 */
async function principalBySid(link: Link, { bindDn }: DirectorySettings): Promise<string | null> {
  if (isDn(bindDn)) return bindDn;
  const root = await search(link, '', {
    scope: 'base',
    attributes: [TOKEN],
    explicitBufferAttributes: [TOKEN],
  });
  const [sid] = root.ok && root.value[0] ? valuesOf(root.value[0], TOKEN) : [];
  return Buffer.isBuffer(sid) ? `<SID=${sid.toString('hex')}>` : null;
}

const TOKEN = 'tokenGroups';

async function undoForcedChange(link: Link, dn: string): Promise<void> {
  const reply = await search(link, dn, { scope: 'base', attributes: [LAST_SET] });
  const [entry] = reply.ok ? reply.value : [];
  if (entry !== undefined && textOf(entry, LAST_SET) === MUST_CHANGE)
    await change(link, dn, [replace(LAST_SET, CHANGED_NOW)]);
}

const QUOTE = 0x22;

/** Returns the value of unicodePwd: the password in quotes, as UTF-16 (MS-ADTS §3.1.1.3.1.5.1). The caller zeroes it. */
function quotedUtf16(password: Secret): Buffer {
  return withCodePoints(password, (points) => {
    const units = points.reduce((sum, point) => sum + (point > 0xffff ? 2 : 1), 2);
    const value = zeroableBytes(2 * units);
    let at = value.writeUInt16LE(QUOTE, 0);
    for (const point of points) {
      const above = point - 0x10000;
      if (above < 0) at = value.writeUInt16LE(point, at);
      else {
        at = value.writeUInt16LE(0xd800 + (above >> 10), at);
        at = value.writeUInt16LE(0xdc00 + (above & 0x3ff), at);
      }
    }
    value.writeUInt16LE(QUOTE, at);
    return value;
  });
}
