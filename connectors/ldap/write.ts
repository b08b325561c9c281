import {
  AndFilter,
  type Change,
  EqualityFilter,
  type Filter,
  NotFilter,
  OrFilter,
  PresenceFilter,
} from 'ldapts';
import type { Secret } from '../../model/secret';
import type { AccountRef, SetPasswordRequest, WriteAnswer } from '../contract';
import { accountFilter, locate, type NativeIds, search, textOf } from './accounts';
import { AssertionControl, PasswordPolicyControl, PostReadControl } from './controls';
import type { Use } from './dialect';
import type { Link } from './link';
import {
  keepingInOneStep,
  LOCKED_TIME,
  policyStateAttributes,
  policyStateIn,
  RESET,
  restoring,
} from './policy-state';
import { judgeWrite } from './refusals';
import { answerOf, change, heard, insist, replace, sendExop, sendModify } from './requests';
import type { LdapSettings } from './settings';

/** A write that was tried, and what may have to be put right after it. */
interface Tried {
  readonly answer: WriteAnswer;
  readonly dn: string;
  /** Gives back what the write took away. */
  readonly restore: readonly Change[];
  /** A forced change may have appeared that was not there before. */
  readonly mayForceChange: boolean;
}

const CRITICAL_CONTROL_UNKNOWN = 12;
/** The assertion does not hold, or is not known, or there is no such entry (which may have moved). */
const LOOK_FIRST = new Set([122, CRITICAL_CONTROL_UNKNOWN, 32]);

/**
 * Writes passwords so that nothing else of the account changes.
 *
 * A modify does it in one request: it asserts that there is nothing to keep, and when there is, keeps it in the same step.
 * RFC 3062 knows only the password, so the account is read before and put right after; in between it is not locked.
 */
export function passwordWriter(settings: LdapSettings, ids: NativeIds) {
  let canAssert = true;
  const write = async (use: Use, request: SetPasswordRequest): Promise<WriteAnswer> => {
    // OpenLDAP takes a value of a modify that looks like "{SSHA}…" for a hash, and stores it as it is.
    const byModify =
      request.form !== 'plaintext' ||
      (settings.write === 'modify' && !looksHashed(request.password));
    if (byModify && canAssert) {
      const tried = await use((link) => modifyAsserting(link, request, ids, settings));
      if (typeof tried === 'object') return mended(use, tried);
      canAssert = tried !== CRITICAL_CONTROL_UNKNOWN;
    }
    return mended(use, await use((link) => writeSeen(link, request, ids, settings, byModify)));
  };
  return async (use: Use, request: SetPasswordRequest): Promise<WriteAnswer> => {
    const answer = await write(use, request);
    // slapo-ppolicy cannot judge a hash, and says of that what it says of a bad password.
    const unjudged = answer.result === 'rejected' && answer.reason === 'policy_quality';
    return unjudged && request.form !== 'plaintext'
      ? { ...answer, reason: 'encoding_not_supported' }
      : answer;
  };
}

const looksHashed = (password: Secret) =>
  password.use((bytes) => bytes[0] === 0x7b && bytes.includes(0x7d));

const bytesOf = (password: Secret) => password.use((bytes) => Buffer.from(bytes));

/** @returns the result code instead when the account has to be looked at first */
async function modifyAsserting(
  link: Link,
  { account, password }: SetPasswordRequest,
  ids: NativeIds,
  settings: LdapSettings,
): Promise<Tried | number> {
  const policy = new PasswordPolicyControl();
  const after = new PostReadControl(RESET);
  const nothingToKeep = new AssertionControl(isPlain(account, ids, settings));
  const controls = [policy, after, nothingToKeep];
  const value = bytesOf(password);
  const reply = await heard(
    sendModify(link, account.name, settings.passwordAttribute, value, [], controls),
  );
  if (reply?.ok === false && LOOK_FIRST.has(reply.code)) return reply.code;
  return {
    answer: answerOf(reply, (refusal) => judgeWrite(refusal, policy.error)),
    dn: account.name,
    restore: [],
    mayForceChange: reply === null || after.values.includes('TRUE'),
  };
}

/** It is the account that is meant, and a password change would take nothing from it. */
function isPlain(account: AccountRef, ids: NativeIds, settings: LdapSettings): Filter {
  const kept = new OrFilter({
    filters: [
      new PresenceFilter({ attribute: LOCKED_TIME }),
      new EqualityFilter({ attribute: RESET, value: 'TRUE' }),
    ],
  });
  const isThis = account.nativeId === null ? null : ids.filterFor(account.nativeId);
  return new AndFilter({
    filters: [
      accountFilter(settings),
      new NotFilter({ filter: kept }),
      ...(isThis === null ? [] : [isThis]),
    ],
  });
}

async function writeSeen(
  link: Link,
  { account, password }: SetPasswordRequest,
  ids: NativeIds,
  settings: LdapSettings,
  byModify: boolean,
): Promise<Tried> {
  const located = await locate(link, account, ids, settings, policyStateAttributes);
  const nothing = { dn: account.name, restore: [], mayForceChange: false };
  if (!located.ok) return { ...nothing, answer: judgeWrite(located, null) };
  if (located.value === null)
    return { ...nothing, answer: { result: 'rejected', reason: 'no_account', vendorCode: null } };
  const { entry, moved } = located.value;
  const state = policyStateIn(entry);
  const restore = byModify ? [] : restoring(state);
  // Writes what is there already, to learn before the password is written whether it can be given back.
  const allowed = restore.length === 0 ? null : await change(link, entry.dn, restore);
  if (allowed?.ok === false) return { ...nothing, answer: judgeWrite(allowed, null) };
  const policy = new PasswordPolicyControl();
  const reply = await heard(
    byModify
      ? sendModify(
          link,
          entry.dn,
          settings.passwordAttribute,
          bytesOf(password),
          keepingInOneStep(state),
          [policy],
        )
      : sendExop(link, entry.dn, password, policy),
  );
  const answer = answerOf(reply, (refusal) => judgeWrite(refusal, policy.error));
  return {
    answer: moved && answer.result === 'applied' ? { ...answer, movedTo: entry.dn } : answer,
    dn: entry.dn,
    restore,
    mayForceChange: !state.reset,
  };
}

/** Also after a write without a reply, which may have been served. */
async function mended(use: Use, tried: Tried): Promise<WriteAnswer> {
  const { answer, restore } = tried;
  if (answer.result !== 'applied' && answer.result !== 'ambiguous') return answer;
  const done = await insist(use, (link) => mend(link, tried));
  return done || restore.length === 0 ? answer : { result: 'ambiguous', vendorCode: null };
}

async function mend(link: Link, { dn, restore, mayForceChange }: Tried): Promise<void> {
  const changes = [...restore];
  // A service account that may manage userPassword forces a change with each write, where pwdMustChange is on.
  if (mayForceChange && (await mustChange(link, dn))) changes.push(replace(RESET));
  if (changes.length > 0) await change(link, dn, changes);
}

async function mustChange(link: Link, dn: string): Promise<boolean> {
  const reply = await search(link, dn, { scope: 'base', attributes: [RESET] });
  const [entry] = reply.ok ? reply.value : [];
  return entry !== undefined && textOf(entry, RESET) === 'TRUE';
}
