import { z } from 'zod';
import { withCodePoints } from './code-points';
import type { Secret } from './secret';

const count = (says: string) => z.int().min(0).max(1024).describe(says);

/** What a password must be. The defaults are those of NIST SP 800-63B-4 for a password alone: long, and no composition rules. */
export const policyRulesSchema = z.strictObject({
  minLength: count('Code points at least.').default(15),
  maxLength: count('Code points at most.').default(256),
  minUpper: count('Upper-case letters at least.').default(0),
  minLower: count('Lower-case letters at least.').default(0),
  minNumeric: count('Digits at least.').default(0),
  minSpecial: count('Characters that are neither letters nor digits, at least.').default(0),
  maxRepeatedChars: count('The same character in a row at most; 0 sets no limit.').default(0),
  identityWordMinLength: count(
    'Words of the name and attributes of the person that are this long or longer may not be part of the password; 0 switches this off.',
  ).default(4),
});

export type PolicyRules = z.infer<typeof policyRulesSchema>;

export interface Violation {
  readonly rule: keyof PolicyRules;
  /** What to do, with the limit, never with a part of the password. */
  readonly says: string;
}

interface Judged {
  readonly points: Uint32Array;
  /** Lower-cased words of the person. */
  readonly words: readonly string[];
}

type Judge = (rules: PolicyRules, judged: Judged) => string | false;

const counts = (points: Uint32Array, kind: RegExp): number =>
  points.reduce((sum, point) => sum + (kind.test(String.fromCodePoint(point)) ? 1 : 0), 0);

const atLeast =
  (
    rule: 'minUpper' | 'minLower' | 'minNumeric' | 'minSpecial',
    kind: RegExp,
    what: string,
  ): Judge =>
  (rules, { points }) =>
    counts(points, kind) < rules[rule] && `Use at least ${rules[rule]} ${what}.`;

const judges: { readonly [Rule in keyof PolicyRules]: Judge } = {
  minLength: ({ minLength }, { points }) =>
    points.length < minLength && `Use at least ${minLength} characters.`,
  maxLength: ({ maxLength }, { points }) =>
    points.length > maxLength && `Use at most ${maxLength} characters.`,
  minUpper: atLeast('minUpper', /\p{Lu}/u, 'upper-case letters'),
  minLower: atLeast('minLower', /\p{Ll}/u, 'lower-case letters'),
  minNumeric: atLeast('minNumeric', /\p{Nd}/u, 'digits'),
  minSpecial: atLeast('minSpecial', /[^\p{L}\p{Nd}]/u, 'characters that are not letters or digits'),
  maxRepeatedChars: ({ maxRepeatedChars }, { points }) =>
    maxRepeatedChars > 0 &&
    longestRun(points) > maxRepeatedChars &&
    `Do not repeat a character more than ${maxRepeatedChars} times in a row.`,
  identityWordMinLength: ({ identityWordMinLength }, { points, words }) =>
    identityWordMinLength > 0 &&
    words.some((word) => word.length >= identityWordMinLength && contains(points, word)) &&
    'Do not use your own name or other words about you.',
};

/** Every rule that the password breaks, so that nobody has to find them one by one. */
export function violations(
  rules: PolicyRules,
  password: Secret,
  words: readonly string[],
): Violation[] {
  return withCodePoints(password, (points) =>
    (Object.keys(judges) as (keyof PolicyRules)[]).flatMap((rule) => {
      const says = judges[rule](rules, { points, words });
      return says === false ? [] : [{ rule, says }];
    }),
  );
}

/** The lower-cased words of a person's name and attributes, as the policy compares them. */
export function identityWords(texts: readonly string[]): string[] {
  return [...new Set(texts.flatMap((text) => text.toLowerCase().split(/[^\p{L}\p{N}]+/u)))].filter(
    (word) => word !== '',
  );
}

function longestRun(points: Uint32Array): number {
  let longest = 0;
  let run = 0;
  points.forEach((point, index) => {
    run = index > 0 && point === points[index - 1] ? run + 1 : 1;
    longest = Math.max(longest, run);
  });
  return longest;
}

function contains(points: Uint32Array, word: string): boolean {
  const letters = [...word];
  const folded = (at: number) => String.fromCodePoint(points[at] ?? 0).toLowerCase();
  for (let from = 0; from + letters.length <= points.length; from++) {
    if (letters.every((letter, offset) => folded(from + offset) === letter)) return true;
  }
  return false;
}
