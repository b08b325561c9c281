import {
  characterSet,
  characterTypes,
  isDigit,
  isLetter,
  isLower,
  isSpecial,
  isUpper,
} from './characters';
import { isCommon } from './common-passwords';
import { withFolded } from './folding';
import type { PolicyRules } from './presets';
import { longestRun } from './target-limits';
import { holdsWord, type WordList, wordList, wordsIn } from './word-list';

/** A rule that a password breaks. */
export interface Violation {
  readonly rule: keyof PolicyRules;
  /** What the person should do, with the limit of the rule. Never a part of the password. */
  readonly says: string;
}

/** The facts that a policy compares a password with. */
export interface Known {
  /** The name and the values of the attributes of the person. */
  readonly identity: readonly string[];
  /** The short names of the accounts of the person. */
  readonly accountNames: readonly string[];
  readonly accountIds: readonly string[];
  readonly dictionary: WordList;
  readonly blocklisted: boolean;
  /** Estimated strength, 0 to 4; null when it was not estimated. */
  readonly strength: number | null;
}

export const nothingKnown: Known = {
  identity: [],
  accountNames: [],
  accountIds: [],
  dictionary: new Map(),
  blocklisted: false,
  strength: null,
};

interface Candidate extends Known {
  readonly points: Uint32Array;
  /** The code points without case, as people read them: see `withFolded`. */
  readonly folded: Uint32Array;
}

type Check = (rules: PolicyRules, candidate: Candidate) => string | false;

type Counted = 'minAlpha' | 'minNonAlpha' | 'minUpper' | 'minLower' | 'minNumeric' | 'minSpecial';

const atLeast =
  (rule: Counted, is: (point: number) => boolean, what: string): Check =>
  (rules, { points }) =>
    points.reduce((sum, point) => sum + (is(point) ? 1 : 0), 0) < rules[rule] &&
    `Use at least ${rules[rule]} ${what}.`;

const withoutWords = (
  { folded }: Candidate,
  texts: readonly string[],
  minLength: number,
  says: string,
): string | false => holdsWord(folded, wordList(wordsIn(texts, minLength))) && says;

/** The check of each rule that a password can break. The other fields of a policy are parameters of these checks. */
const checks: { readonly [Rule in keyof PolicyRules]?: Check } = {
  minLength: ({ minLength }, { points }) =>
    points.length < minLength && `Use at least ${minLength} characters.`,
  maxLength: ({ maxLength }, { points }) =>
    points.length > maxLength && `Use at most ${maxLength} characters.`,
  minAlpha: atLeast('minAlpha', isLetter, 'letters'),
  minNonAlpha: atLeast('minNonAlpha', (point) => !isLetter(point), 'characters other than letters'),
  minUpper: atLeast('minUpper', isUpper, 'upper-case letters'),
  minLower: atLeast('minLower', isLower, 'lower-case letters'),
  minNumeric: atLeast('minNumeric', isDigit, 'digits'),
  minSpecial: atLeast('minSpecial', isSpecial, 'characters that are not letters or digits'),
  minCharacterTypes: ({ minCharacterTypes }, { points }) =>
    characterTypes.filter((is) => points.some(is)).length < minCharacterTypes &&
    `Use at least ${minCharacterTypes} of these: upper-case letters, lower-case letters, letters without case, digits, other characters.`,
  maxRepeatedChars: ({ maxRepeatedChars }, { points }) =>
    maxRepeatedChars > 0 &&
    longestRun(points) > maxRepeatedChars &&
    `Do not repeat a character more than ${maxRepeatedChars} times in a row.`,
  allowed: ({ allowed }, { points }) => {
    const set = allowed === null ? null : characterSet(allowed);
    return set !== null && !points.every(set.has) && `Use only these characters: ${allowed}`;
  },
  notAllowed: ({ notAllowed }, { points }) => {
    const set = characterSet(notAllowed);
    return points.some((point) => set?.has(point)) && `Do not use these characters: ${notAllowed}`;
  },
  identityWordMinLength: ({ useIdentityAttributes, identityWordMinLength }, candidate) =>
    useIdentityAttributes &&
    identityWordMinLength > 0 &&
    withoutWords(
      candidate,
      candidate.identity,
      identityWordMinLength,
      'Do not use your own name or other words about you.',
    ),
  validateAgainstAccountName: (rules, candidate) =>
    rules.validateAgainstAccountName &&
    withoutWords(
      candidate,
      candidate.accountNames,
      rules.accountNameMinWordLength,
      'Do not use the name of one of your accounts.',
    ),
  validateAgainstAccountId: (rules, candidate) =>
    rules.validateAgainstAccountId &&
    withoutWords(
      candidate,
      candidate.accountIds,
      rules.accountIdMinWordLength,
      'Do not use words that identify one of your accounts.',
    ),
  dictionary: (_rules, { folded, dictionary }) =>
    holdsWord(folded, dictionary) && 'Do not use words that are easy to guess in this company.',
  notCommon: ({ notCommon }, { folded }) =>
    notCommon &&
    isCommon(folded) &&
    'Choose another password: this is one of those that attackers try first.',
  blocklist: (_rules, { blocklisted }) =>
    blocklisted && 'Choose another password: this one is on a list of leaked passwords.',
  minStrength: ({ minStrength }, { strength }) =>
    strength !== null &&
    strength < minStrength &&
    `Choose a password that is harder to guess: its strength is ${strength} of 4, and ${minStrength} is required.`,
};

/** The rules that a violation can name, in the order in which they are reported. */
export const checkedRules = Object.keys(checks) as [keyof PolicyRules, ...(keyof PolicyRules)[]];

/**
 * Every rule that the code points break, so that a person sees all of them at once. It has no Secret and no Buffer: the
 * page on which a person types a new password runs the same code.
 */
export const brokenRules = (
  rules: PolicyRules,
  points: Uint32Array,
  known: Known = nothingKnown,
): Violation[] =>
  withFolded(points, (folded) =>
    checkedRules.flatMap((rule) => {
      const says = checks[rule]?.(rules, { ...known, points, folded }) ?? false;
      return says === false ? [] : [{ rule, says }];
    }),
  );
