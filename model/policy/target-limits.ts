import type { Reason } from '../errors';
import { isDigit, isLetter, isLower, isUpper } from './characters';
import type { PolicyRules } from './presets';

/**
 * The single limits of the password policy of a source: their sentences, with the number, and whether a password breaks
 * them. The same sentences explain a refusal, a dry run and a comparison with the policy of the group.
 */

/**
 * The password policy of a source. Its kinds of characters are upper-case letters, lower-case letters, digits and others.
 */
export interface SourcePolicy
  extends Pick<
    PolicyRules,
    | 'minLength'
    | 'minAlpha'
    | 'minUpper'
    | 'minLower'
    | 'minNumeric'
    | 'minSpecial'
    | 'minCharacterTypes'
    | 'maxRepeatedChars'
  > {
  /** The name of the policy in its source. */
  readonly name: string;
  /** Null sets no limit. */
  readonly maxLength: number | null;
  /** True when its lengths are bytes of UTF-8, false for code points. */
  readonly countsBytes: boolean;
  /** Number of old passwords that it refuses. */
  readonly history: number;
  readonly minAgeSeconds: number;
}

interface Limit {
  /** The reason with which a source refuses a password that breaks the limit. */
  readonly reason: Reason;
  /** The limit as a predicate of the policy, such as "requires 12 characters or more"; false if it sets none. */
  readonly says: (policy: SourcePolicy) => string | false;
  /** Whether the password breaks the limit. Missing where the password alone does not show that. */
  readonly broken?: (policy: SourcePolicy, points: Uint32Array) => boolean;
}

type Counted = 'minAlpha' | 'minUpper' | 'minLower' | 'minNumeric' | 'minSpecial';

const isOther = (point: number): boolean => !isUpper(point) && !isLower(point) && !isDigit(point);
const count = (points: Uint32Array, is: (point: number) => boolean): number =>
  points.reduce((sum, point) => sum + (is(point) ? 1 : 0), 0);

const atLeast = (rule: Counted, is: (point: number) => boolean, what: string): Limit => ({
  reason: 'policy_quality',
  says: (policy) => policy[rule] > 0 && `requires ${policy[rule]} or more ${what}`,
  broken: (policy, points) => count(points, is) < policy[rule],
});

const unit = ({ countsBytes }: SourcePolicy): string => (countsBytes ? 'bytes' : 'characters');
const utf8Bytes = (point: number): number =>
  point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
const lengthOf = ({ countsBytes }: SourcePolicy, points: Uint32Array): number =>
  countsBytes ? points.reduce((sum, point) => sum + utf8Bytes(point), 0) : points.length;

/** The limits, in the order of their sentences. */
export const targetLimits = {
  minLength: {
    reason: 'policy_too_short',
    says: (policy) =>
      policy.minLength > 0 && `requires ${policy.minLength} ${unit(policy)} or more`,
    broken: (policy, points) => lengthOf(policy, points) < policy.minLength,
  },
  maxLength: {
    reason: 'policy_too_long',
    says: (policy) =>
      policy.maxLength !== null && `accepts at most ${policy.maxLength} ${unit(policy)}`,
    broken: (policy, points) =>
      policy.maxLength !== null && lengthOf(policy, points) > policy.maxLength,
  },
  minAlpha: atLeast('minAlpha', isLetter, 'letters'),
  minUpper: atLeast('minUpper', isUpper, 'upper-case letters'),
  minLower: atLeast('minLower', isLower, 'lower-case letters'),
  minNumeric: atLeast('minNumeric', isDigit, 'digits'),
  minSpecial: atLeast('minSpecial', isOther, 'characters other than letters and digits'),
  minCharacterTypes: {
    reason: 'policy_quality',
    says: ({ minCharacterTypes }) =>
      minCharacterTypes > 0 && `requires ${minCharacterTypes} or more kinds of characters`,
    broken: ({ minCharacterTypes }, points) =>
      [isUpper, isLower, isDigit, isOther].filter((is) => points.some(is)).length <
      minCharacterTypes,
  },
  maxRepeatedChars: {
    reason: 'policy_quality',
    says: ({ maxRepeatedChars }) =>
      maxRepeatedChars > 0 && `accepts a character at most ${maxRepeatedChars} times in a row`,
    broken: ({ maxRepeatedChars }, points) =>
      maxRepeatedChars > 0 && longestRun(points) > maxRepeatedChars,
  },
  history: {
    reason: 'policy_history',
    says: ({ history }) => history > 0 && `remembers ${history} old passwords`,
  },
  minAgeSeconds: {
    reason: 'policy_too_young',
    says: ({ minAgeSeconds }) =>
      minAgeSeconds > 0 && `accepts no second change within ${minAgeSeconds} seconds`,
  },
} as const satisfies Record<string, Limit>;

export type TargetLimit = keyof typeof targetLimits;

/** The limits of the policy that the code points break. The page for persons runs this, too. */
export const limitsBroken = (policy: SourcePolicy, points: Uint32Array): TargetLimit[] =>
  (Object.keys(targetLimits) as TargetLimit[]).filter((name) => {
    const limit: Limit = targetLimits[name];
    return limit.broken?.(policy, points) === true;
  });

/** More policies than this of one source are not listed: an account is bound by one of them. */
export const MOST_LISTED = 5;

/**
 * The sentence about the limits that a source applied when it refused a password, with their numbers.
 * @param policies every policy that may bind the account; empty when the source has shown none
 * @param couldBreak whether a password of the change could break the limit. A limit that it cannot break does not
 *   explain the refusal: the source has changed its policy since it showed it.
 * @returns null when no known limit explains the refusal
 */
export function limitsSay(
  reason: string,
  source: string,
  policies: readonly SourcePolicy[],
  couldBreak: (limit: TargetLimit, policy: SourcePolicy) => boolean,
): string | null {
  const names = (Object.keys(targetLimits) as TargetLimit[]).filter(
    (name) => reason === 'policy' || targetLimits[name].reason === reason,
  );
  const says = policies.slice(0, MOST_LISTED).flatMap((policy) => {
    const limits = names
      .filter((name) => couldBreak(name, policy))
      .map((name) => targetLimits[name].says(policy))
      .filter((text) => text !== false);
    return limits.length === 0 ? [] : [`${policy.name} of "${source}" ${limits.join(', ')}`];
  });
  return says.length === 0 ? null : `By the last check of the source, ${says.join('; ')}.`;
}

/** Length of the longest run of one character. */
export function longestRun(points: Uint32Array): number {
  let longest = 0;
  let run = 0;
  points.forEach((point, index) => {
    run = index > 0 && point === points[index - 1] ? run + 1 : 1;
    longest = Math.max(longest, run);
  });
  return longest;
}
