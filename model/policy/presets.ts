/** What a password must be, every rule with its value. */
export interface PolicyRules {
  readonly minLength: number;
  readonly maxLength: number;
  readonly minAlpha: number;
  readonly minNonAlpha: number;
  readonly minUpper: number;
  readonly minLower: number;
  readonly minNumeric: number;
  readonly minSpecial: number;
  readonly minCharacterTypes: number;
  readonly maxRepeatedChars: number;
  /** Null allows every character; see `characterSet`. */
  readonly allowed: string | null;
  readonly notAllowed: string;
  readonly useIdentityAttributes: boolean;
  readonly identityWordMinLength: number;
  readonly validateAgainstAccountName: boolean;
  readonly accountNameMinWordLength: number;
  readonly validateAgainstAccountId: boolean;
  readonly accountIdMinWordLength: number;
  /** A file, or the words. */
  readonly dictionary: string | readonly string[] | null;
  readonly notCommon: boolean;
  /** A file that "lockstep blocklist build" made. */
  readonly blocklist: string | null;
  readonly minStrength: number;
}

/**
 * NIST SP 800-63B-4 §3.1.1.2 for a password alone: 15 code points, no rule of composition, compared as a whole with what
 * is common or known. Words about the person are refused as "context-specific words, such as the username, and
 * derivatives thereof".
 */
const nist: PolicyRules = {
  minLength: 15,
  maxLength: 256,
  minAlpha: 0,
  minNonAlpha: 0,
  minUpper: 0,
  minLower: 0,
  minNumeric: 0,
  minSpecial: 0,
  minCharacterTypes: 0,
  maxRepeatedChars: 0,
  allowed: null,
  notAllowed: '',
  useIdentityAttributes: true,
  identityWordMinLength: 4,
  validateAgainstAccountName: false,
  accountNameMinWordLength: 4,
  validateAgainstAccountId: false,
  accountIdMinWordLength: 4,
  dictionary: null,
  notCommon: true,
  blocklist: null,
  minStrength: 0,
};

export const presets = {
  'nist-63b-4': nist,
  /**
   * OWASP ASVS 5.0, 6.2: at least 8 (15 "strongly recommended"), any composition, 64 and more permitted, context-specific
   * words refused (6.2.11). A set of breached passwords is asked for too (6.2.12), so `blocklist` has to be given.
   */
  'asvs-l2': { ...nist, minLength: 8, validateAgainstAccountName: true },
  /** CIS Password Policy Guide, for a password alone: 14, one of them not a letter, the most used ones denied. */
  cis: { ...nist, minLength: 14, minNonAlpha: 1, useIdentityAttributes: false },
  /**
   * The default policy of a Windows domain: 7 or more, 3 of 5 kinds of characters, neither the account name nor words of
   * the display name of 3 letters or more (MS-SAMR §3.1.1.7.1). 127 is what the sign-in of Windows takes.
   */
  'ad-legacy': {
    ...nist,
    minLength: 7,
    maxLength: 127,
    minCharacterTypes: 3,
    identityWordMinLength: 3,
    validateAgainstAccountName: true,
    accountNameMinWordLength: 3,
    notCommon: false,
  },
} as const satisfies Record<string, PolicyRules>;

export type PresetName = keyof typeof presets;

export const presetNames = Object.keys(presets) as [PresetName, ...PresetName[]];
