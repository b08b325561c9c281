/**
 * The rules of a password policy, each with its value. Lengths and counts are in code points; 0 switches a rule off.
 */
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
  /** A set such as `A-Z0-9` (see `characterSet`); null allows every character. */
  readonly allowed: string | null;
  readonly notAllowed: string;
  readonly useIdentityAttributes: boolean;
  readonly identityWordMinLength: number;
  readonly validateAgainstAccountName: boolean;
  readonly accountNameMinWordLength: number;
  readonly validateAgainstAccountId: boolean;
  readonly accountIdMinWordLength: number;
  /** Path of a file with words, or the words themselves; null for none. */
  readonly dictionary: string | readonly string[] | null;
  readonly notCommon: boolean;
  /** Path of a file that "lockstep blocklist build" made; null for none. */
  readonly blocklist: string | null;
  readonly minStrength: number;
}

/**
 * NIST SP 800-63B-4 §3.1.1.2 for a password as the only factor: 15 code points, no composition rules, and a comparison
 * of the whole password with common and breached ones. Words about the person are refused as "context-specific words,
 * such as the username, and derivatives thereof".
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
   * OWASP ASVS 5.0, 6.2: at least 8 code points (15 "strongly recommended"), any composition, 64 and more permitted,
   * context-specific words refused (6.2.11). It also requires a set of breached passwords (6.2.12), so `blocklist` has
   * to be set.
   */
  'asvs-l2': { ...nist, minLength: 8, validateAgainstAccountName: true },
  /**
   * CIS Password Policy Guide, for a password as the only factor: 14 characters, one not a letter, common ones denied.
   */
  cis: { ...nist, minLength: 14, minNonAlpha: 1, useIdentityAttributes: false },
  /**
   * The default policy of a Windows domain: 7 characters or more of 3 of 5 kinds, without the account name and without
   * words of 3 letters or more of the display name (MS-SAMR §3.1.1.7.1). The Windows sign-in accepts at most 127
   * characters.
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
