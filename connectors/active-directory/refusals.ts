import type { SignInObstacle } from '../../model/change/sign-in-prevented';
import type { CodeOf } from '../../model/errors';
import type { VerifyAnswer, WriteAnswer } from '../contract';
import type { LdapRefusal } from '../ldap/link';
import * as anyDirectory from '../ldap/refusals';

/**
 * Texts by which Samba names the rule that rejected a password. Windows reports only that some rule did. Source:
 * check_password_restrictions in samba/source4/dsdb/samdb/ldb_modules/password_hash.c.
 */
const rules: readonly (readonly [text: RegExp, reason: CodeOf<'rejected'>])[] = [
  [/too short/i, 'policy_too_short'],
  [/complexity/i, 'policy_quality'],
  [/miscellaneous restriction/i, 'policy_quality'],
  [/in history/i, 'policy_history'],
  [/too young/i, 'policy_too_young'],
];

/** Returns the Win32 code with which the text of a domain controller begins, or null. */
const win32 = (text: string): string | null =>
  /^([0-9A-Fa-f]{8})\b/.exec(text)?.[1]?.toUpperCase() ?? null;

const PASSWORD_RESTRICTION = '0000052D';
const ACCOUNT_LOCKED = '00000775';

/** Translates the refusal of a write by a domain controller. */
export function classifyWrite(refusal: LdapRefusal): WriteAnswer {
  const code = win32(refusal.text);
  const vendorCode = code === null ? String(refusal.code) : `${refusal.code}/${code}`;
  if (code === ACCOUNT_LOCKED) return { result: 'retry', reason: 'account_locked', vendorCode };
  if (code !== PASSWORD_RESTRICTION) {
    const answer = anyDirectory.classifyWrite({ ...refusal, text: '' }, null);
    return 'vendorCode' in answer ? { ...answer, vendorCode } : answer;
  }
  if (/previous password/i.test(refusal.text)) return { result: 'already_current' };
  const reason = rules.find(([text]) => text.test(refusal.text))?.[1] ?? 'policy';
  return { result: 'rejected', reason, vendorCode };
}

/** Meanings of the Win32 logon code in "AcceptSecurityContext error, data …", the text of a refused login. */
const logons: Readonly<Record<string, 'differs' | 'holds' | 'locked' | SignInObstacle>> = {
  '525': 'differs', // no such user
  '52e': 'differs', // wrong password
  // The domain controller checks the following only after it has found the password right.
  '530': 'holds', // not at this hour
  '531': 'holds', // not from this computer
  '532': 'must_change_password', // the password has expired
  '533': 'account_disabled', // the account is disabled
  '701': 'account_disabled', // the account has expired
  '773': 'must_change_password', // the password must be changed
  // The lock is checked before the password.
  '775': 'locked',
};

/** Translates the refusal of a login that verifies a password. */
export function classifyLogin(refusal: LdapRefusal): VerifyAnswer {
  const data = /\bdata ([0-9a-f]{3,8})\b/i.exec(refusal.text)?.[1]?.toLowerCase();
  const meaning = data === undefined ? undefined : logons[data];
  if (refusal.code !== 49) return anyDirectory.classifyLogin(refusal, null);
  const vendorCode = `49/${data ?? '?'}`;
  if (meaning === 'holds') return { result: 'holds', proof: 'login' };
  if (meaning === 'differs') return { result: 'differs', vendorCode };
  if (meaning === 'locked' || meaning === undefined) {
    const reason = meaning === 'locked' ? 'account_locked' : 'unknown';
    return { result: 'inconclusive', reason, vendorCode };
  }
  return { result: 'holds', proof: 'login', signInPrevented: meaning };
}
