import type { CodeOf } from '../../model/errors';
import type { VerifyAnswer, WriteAnswer } from '../contract';
import { policyErrors } from './controls';
import type { LdapRefusal } from './link';

type Meaning =
  | { readonly result: 'ambiguous' }
  | { readonly result: 'rejected'; readonly reason: CodeOf<'rejected'> }
  | { readonly result: 'retry'; readonly reason: CodeOf<'offline' | 'unknown'> };

const rejected = (reason: CodeOf<'rejected'>): Meaning => ({ result: 'rejected', reason });
const retry = (reason: CodeOf<'offline' | 'unknown'>): Meaning => ({ result: 'retry', reason });

type Texts = readonly (readonly [code: number, text: RegExp, meaning: Meaning])[];

/**
 * Texts that are more exact than the policy error that comes with them. 389 Directory Server has a single policy error
 * for all syntax rules, and OpenLDAP one for everything that a check module refuses.
 */
const exact: Texts = [
  [19, /at least \d+ characters long/, rejected('policy_too_short')],
  // The check module of Lockstep (capture/shims/openldap) in the mode "closed", while its relay does not answer. slapd
  // adds the policy error of a password that is too simple.
  [19, /cannot be passed on at this moment/, retry('busy')],
];

/** Texts that distinguish the meanings of one result code. Sources: OpenLDAP, 389 Directory Server and PingDirectory. */
const texts: Texts = [
  [19, /history|reuse/i, rejected('policy_history')],
  [19, /too short/i, rejected('policy_too_short')],
  [19, /too long/i, rejected('policy_too_long')],
  [19, /too young|too soon|minimum age/i, rejected('policy_too_young')],
  [19, /quality|too simple|syntax|breach/i, rejected('policy_quality')],
  // The last text is that of slapd for a database with "readonly" or "restrict".
  [53, /shadow context|read.?only|(?<!extended )operation restricted/i, rejected('read_only')],
  // No database of this server holds the suffix of the name.
  [53, /no global superior knowledge/i, rejected('no_account')],
];

/** Meanings of the policy errors of draft-behera-ldap-password-policy. */
const byPolicyError: Readonly<Record<number, Meaning>> = {
  [policyErrors.modificationNotAllowed]: rejected('no_rights'),
  [policyErrors.mustSupplyOld]: rejected('not_supported'),
  [policyErrors.insufficientQuality]: rejected('policy_quality'),
  [policyErrors.tooShort]: rejected('policy_too_short'),
  [policyErrors.tooYoung]: rejected('policy_too_young'),
  [policyErrors.inHistory]: rejected('policy_history'),
  [policyErrors.tooLong]: rejected('policy_too_long'),
};

/** Meanings of result codes (RFC 4511 appendix A.2). A code that is missing here is reported as unknown. */
const byCode: Readonly<Record<number, Meaning>> = {
  3: retry('busy'),
  10: rejected('read_only'),
  11: retry('busy'),
  12: rejected('not_supported'),
  13: rejected('not_supported'),
  // Two simultaneous writes to one account: slapo-ppolicy found its history changed since it had read it.
  16: retry('account_in_use'),
  20: retry('account_in_use'),
  17: rejected('not_supported'),
  19: rejected('policy'),
  32: rejected('no_account'),
  34: rejected('no_account'),
  50: rejected('no_rights'),
  51: retry('busy'),
  52: retry('busy'),
  53: rejected('not_supported'),
  65: rejected('not_supported'),
  // The assertion is false: the entry has changed since it was read.
  122: retry('account_in_use'),
  // "Other" is any internal error, which may have occurred before or after the write.
  80: { result: 'ambiguous' },
};

/** Translates the refusal of a write. @param policyError from the password policy control; null if the server sent none */
export function classifyWrite(
  { code, text }: LdapRefusal,
  policyError: number | null,
): WriteAnswer {
  const textMeaning = (rows: Texts) =>
    rows.find(([wanted, pattern]) => wanted === code && pattern.test(text))?.[2];
  const meaning =
    textMeaning(exact) ??
    (policyError === null ? undefined : byPolicyError[policyError]) ??
    textMeaning(texts) ??
    byCode[code] ??
    retry('unknown');
  return { ...meaning, vendorCode: vendorCode(code, policyError) };
}

const vendorCode = (code: number, policyError: number | null): string =>
  policyError === null ? String(code) : `${code}/${policyError}`;

/** The answer after a successful login. @param policyError as for `classifyLogin` */
export const loggedIn = (policyError: number | null): VerifyAnswer => ({
  result: 'holds',
  proof: 'login',
  ...(policyError === policyErrors.changeAfterReset
    ? { signInPrevented: 'must_change_password' }
    : {}),
});

/**
 * Translates the refusal of a login that verifies a password. The caller must still check whether the account is locked
 * or disabled, because many servers then refuse a right password with the code for a wrong one (`differs`).
 * @param policyError from the password policy control; null if the server sent none
 */
export function classifyLogin({ code }: LdapRefusal, policyError: number | null): VerifyAnswer {
  const inconclusive = (reason: Extract<VerifyAnswer, { result: 'inconclusive' }>['reason']) =>
    ({ result: 'inconclusive', reason, vendorCode: vendorCode(code, policyError) }) as const;
  switch (code) {
    case 49:
      // slapo-ppolicy checks the age of a password only after it has found the password right.
      if (policyError === policyErrors.expired)
        return { result: 'holds', proof: 'login', signInPrevented: 'must_change_password' };
      if (policyError === policyErrors.locked) return inconclusive('account_locked');
      return { result: 'differs', vendorCode: vendorCode(code, policyError) };
    // The account has no password at all.
    case 48:
      return { result: 'differs', vendorCode: '48' };
    // 389 Directory Server: the retry limit is exceeded, the account is inactivated.
    case 19:
      return inconclusive('account_locked');
    case 53:
      return inconclusive('account_disabled');
    case 3:
    case 51:
    case 52:
      return inconclusive('busy');
    default:
      return inconclusive('unknown');
  }
}
