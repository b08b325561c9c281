import { classSays, type Demand, passwordClass } from './password-class';
import { type PasswordFilter, weakens } from './password-filter';
import type { PolicyRules } from './presets';

/**
 * What a source itself asks of the passwords that Lockstep writes, as far as it tells. Types of characters are upper-case
 * letters, lower-case letters, digits and others.
 */
export interface TargetPolicy
  extends Pick<
    Demand,
    | 'minLength'
    | 'maxLength'
    | 'minAlpha'
    | 'minUpper'
    | 'minLower'
    | 'minNumeric'
    | 'minSpecial'
    | 'minCharacterTypes'
    | 'maxRepeatedChars'
  > {
  /** How the source calls it. */
  readonly name: string;
  /** Lengths are bytes of UTF-8, not code points. */
  readonly countsBytes: boolean;
  /** How many old passwords it refuses. */
  readonly history: number;
  readonly minAgeSeconds: number;
}

export const asksNothing: Omit<TargetPolicy, 'name'> = {
  countsBytes: false,
  minLength: 0,
  maxLength: null,
  minAlpha: 0,
  minUpper: 0,
  minLower: 0,
  minNumeric: 0,
  minSpecial: 0,
  minCharacterTypes: 0,
  maxRepeatedChars: 0,
  history: 0,
  minAgeSeconds: 0,
};

export interface Member {
  readonly source: string;
  readonly filter: PasswordFilter | null;
  /** Every one that may bind some account there; none where none can be read. */
  readonly policies: readonly TargetPolicy[];
}

export interface Satisfiability {
  /** What no password can satisfy together, a sentence each. */
  readonly impossible: readonly string[];
  /** What a source may refuse although the policy of the group accepts it, and what would prevent it. */
  readonly notGuaranteed: readonly string[];
  /** Filters that leave a weaker password. */
  readonly warnings: readonly string[];
  /** A recipe for passwords that every source takes; null when there is none. */
  readonly fits: string | null;
}

/**
 * Whether one password can satisfy the policy of a group and every source of it. Judged for printable ASCII; words,
 * lists and history are not looked at: they refuse single passwords, not kinds of them.
 */
export function satisfiability(
  policy: { readonly name: string; readonly rules: PolicyRules },
  members: readonly Member[],
): Satisfiability {
  const group = demandOfGroup(policy.name, policy.rules);
  const demands = [group, ...members.flatMap(demandsOfMember)];
  const fitting = passwordClass(demands);
  const pairs = fitting === null ? impossiblePairs(demands) : [];
  return {
    impossible:
      fitting === null && pairs.length === 0
        ? [`No password satisfies all of these together: ${namesOf(demands)}.`]
        : pairs,
    notGuaranteed: members.flatMap((member) => gaps(policy, member)),
    warnings: members.flatMap(({ source, filter }) => {
      const says = filter === null ? null : weakens(filter, policy.rules);
      return says === null ? [] : [`${source}: ${says}`];
    }),
    fits: fitting === null ? null : classSays(fitting),
  };
}

const demandOfGroup = (name: string, rules: PolicyRules): Demand => ({
  ...rules,
  name: `the policy "${name}"`,
  filter: null,
});

const demandsOfMember = ({ source, filter, policies }: Member): Demand[] =>
  (policies.length === 0 && filter !== null
    ? [{ ...asksNothing, name: 'its filter' }]
    : policies
  ).map((policy) => ({
    ...policy,
    minNonAlpha: 0,
    allowed: null,
    notAllowed: '',
    name: `${policy.name} of "${source}"`,
    filter,
  }));

/** One that cannot be satisfied alone is told alone. */
function impossiblePairs(demands: readonly Demand[]): string[] {
  const alone = demands.filter((one) => passwordClass([one]) === null);
  const rest = demands.filter((one) => !alone.includes(one));
  return [
    ...alone.map(({ name }) => `No password satisfies ${name}.`),
    ...rest.flatMap((one, index) =>
      rest
        .slice(index + 1)
        .filter((other) => passwordClass([one, other]) === null)
        .map((other) => `No password satisfies both ${one.name} and ${other.name}.`),
    ),
  ];
}

const namesOf = (demands: readonly Demand[]): string => demands.map(({ name }) => name).join(', ');

type Gap = (given: Given, target: TargetPolicy) => string | false;

/** Rows in the order in which they are told. */
const gapRules: readonly Gap[] = [
  ({ minLength }, target) =>
    minLength < target.minLength && `wants ${target.minLength} characters or more`,
  ({ maxLength, bytesEach }, { maxLength: most, countsBytes }) =>
    most !== null &&
    maxLength * (countsBytes ? bytesEach : 1) > most &&
    `takes ${most} ${countsBytes ? 'bytes' : 'characters'} at most`,
  ({ minAlpha }, target) =>
    minAlpha < target.minAlpha && `wants ${target.minAlpha} or more letters`,
  ({ minUpper }, target) =>
    minUpper < target.minUpper && `wants ${target.minUpper} or more upper-case letters`,
  ({ minLower }, target) =>
    minLower < target.minLower && `wants ${target.minLower} or more lower-case letters`,
  ({ minNumeric }, target) =>
    minNumeric < target.minNumeric && `wants ${target.minNumeric} or more digits`,
  ({ minSpecial }, target) =>
    minSpecial < target.minSpecial &&
    `wants ${target.minSpecial} or more characters besides letters and digits`,
  ({ types }, target) =>
    types < target.minCharacterTypes &&
    `wants ${target.minCharacterTypes} or more kinds of characters`,
  ({ maxRepeatedChars }, target) =>
    target.maxRepeatedChars > 0 &&
    (maxRepeatedChars === 0 || maxRepeatedChars > target.maxRepeatedChars) &&
    `takes a character ${target.maxRepeatedChars} times in a row at most`,
  (_given, { history }) => history > 0 && `remembers ${history} old passwords`,
  (_given, { minAgeSeconds }) =>
    minAgeSeconds > 0 && `takes no second change within ${minAgeSeconds} seconds`,
];

function gaps(
  policy: { readonly name: string; readonly rules: PolicyRules },
  { source, filter, policies }: Member,
): string[] {
  const given = givenBy(policy.rules, filter);
  return policies.flatMap((target) => {
    const says = gapRules.map((gap) => gap(given, target)).filter((one) => one !== false);
    return says.length === 0
      ? []
      : [
          `${target.name} of "${source}" ${says.join(', ')}; the policy "${policy.name}" does not see to it.`,
        ];
  });
}

/** What every password has that the policy of the group accepts, when the source gets it. */
interface Given {
  readonly minLength: number;
  readonly maxLength: number;
  /** Of one code point. */
  readonly bytesEach: number;
  readonly minAlpha: number;
  readonly minUpper: number;
  readonly minLower: number;
  readonly minNumeric: number;
  readonly minSpecial: number;
  readonly types: number;
  readonly maxRepeatedChars: number;
}

function givenBy(rules: PolicyRules, filter: PasswordFilter | null): Given {
  const { minUpper, minLower, minNumeric, minSpecial } = rules;
  const kinds = [minUpper, minLower, minNumeric, minSpecial].filter((least) => least > 0).length;
  const ascii = (set: string | null | undefined) => /^[ -~]+$/.test(set ?? '');
  const given: Given = {
    minLength: rules.minLength,
    maxLength: rules.maxLength,
    bytesEach: ascii(rules.allowed) || ascii(filter?.allowed) ? 1 : 4,
    minAlpha: Math.max(rules.minAlpha, minUpper + minLower),
    ...{ minUpper, minLower, minNumeric, minSpecial },
    types: Math.max(kinds, rules.minCharacterTypes),
    maxRepeatedChars: rules.maxRepeatedChars,
  };
  return filter === null ? given : filtered(given, filter);
}

/** A filter may leave out or replace any character that it does not allow, and cut off any that comes late. */
function filtered(
  given: Given,
  { case: wanted, allowed, maxLength, minLength }: PasswordFilter,
): Given {
  const cuts = maxLength !== undefined && maxLength < given.maxLength;
  const changes = allowed !== undefined;
  const keeps = cuts || changes ? 0 : 1;
  return {
    minLength: changes ? minLength : Math.min(given.minLength, maxLength ?? given.minLength),
    maxLength: Math.min(given.maxLength, maxLength ?? given.maxLength),
    bytesEach: given.bytesEach,
    minAlpha: given.minAlpha * keeps,
    minUpper:
      (wanted === undefined ? given.minUpper : wanted === 'upper' ? given.minAlpha : 0) * keeps,
    minLower:
      (wanted === undefined ? given.minLower : wanted === 'lower' ? given.minAlpha : 0) * keeps,
    minNumeric: given.minNumeric * keeps,
    minSpecial: given.minSpecial * keeps,
    types: (wanted === undefined ? given.types : Math.max(0, given.types - 1)) * keeps,
    maxRepeatedChars: wanted === undefined && !changes ? given.maxRepeatedChars : 0,
  };
}
