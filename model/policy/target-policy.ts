import { classSays, type Demand, passwordClass } from './password-class';
import { leavesTooLittle, type PasswordFilter, weakens } from './password-filter';
import type { PolicyRules } from './presets';
import { type SourcePolicy, type TargetLimit, targetLimits } from './target-limits';

/** The password policy of a source, as far as the source shows it. */
export type TargetPolicy = SourcePolicy;

/** A policy without requirements, to which a connector adds those that it finds. */
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

/** A source of a group, with its filter and its own policies. */
export interface Member {
  readonly source: string;
  readonly filter: PasswordFilter | null;
  /** Every policy that may apply to an account in the source; empty when the source shows none. */
  readonly policies: readonly TargetPolicy[];
}

/** The result of `satisfiability`. Each text is a sentence for an operator. */
export interface Satisfiability {
  /** Policies that no password can satisfy together. */
  readonly impossible: readonly string[];
  /** Passwords that a source may refuse although the policy of the group accepts them. */
  readonly notGuaranteed: readonly string[];
  /** Filters that leave a weaker password, or too little of it. */
  readonly warnings: readonly string[];
  /** A recipe for passwords that every source accepts; null when there is none. */
  readonly fits: string | null;
}

/**
 * Finds out whether one password can satisfy the policy of a group and of every source in it. Only printable ASCII is
 * considered. Word lists and histories are not, because they refuse single passwords and not kinds of passwords.
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
      const says = filter === null ? [] : [weakens(filter, policy.rules), leavesTooLittle(filter)];
      return says.filter((one) => one !== null).map((one) => `${source}: ${one}`);
    }),
    fits: fitting === null ? null : classSays(fitting),
  };
}

export const demandOfGroup = (name: string, rules: PolicyRules): Demand => ({
  ...rules,
  name: `the policy "${name}"`,
  filter: null,
});

export const demandsOfMember = (member: Member): Demand[] =>
  bindingPolicies(member).map((policy) => ({
    ...policy,
    minNonAlpha: 0,
    allowed: null,
    notAllowed: '',
    name: `${policy.name} of "${member.source}"`,
    filter: member.filter,
  }));

/**
 * The policies that bind a password of a source, with the minimum length of its filter. A source that shows none is bound
 * by its filter alone.
 */
export function bindingPolicies({ filter, policies }: Member): readonly TargetPolicy[] {
  if (filter === null) return policies;
  const least = leastLeftBy(filter);
  const shown = policies.length === 0 ? [{ ...asksNothing, name: 'the filter' }] : policies;
  return shown.map((policy) => ({ ...policy, minLength: Math.max(policy.minLength, least) }));
}

/** A filter needs one character at least; that is no rule for people to read. */
const leastLeftBy = ({ minLength }: PasswordFilter): number => (minLength > 1 ? minLength : 0);

/** The demands that contradict each other in pairs. A demand that no password satisfies alone is reported alone. */
function impossiblePairs(demands: readonly Demand[]): string[] {
  const alone = demands.filter((demand) => passwordClass([demand]) === null);
  const rest = demands.filter((demand) => !alone.includes(demand));
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

type Gap = (given: Given, target: TargetPolicy) => boolean;

/** The limits of a target policy that the policy of the group does not guarantee. */
export const gapRules: Readonly<Record<TargetLimit, Gap>> = {
  minLength: ({ minLength }, target) => minLength < target.minLength,
  maxLength: ({ maxLength, bytesEach }, { maxLength: most, countsBytes }) =>
    most !== null && maxLength * (countsBytes ? bytesEach : 1) > most,
  minAlpha: ({ minAlpha }, target) => minAlpha < target.minAlpha,
  minUpper: ({ minUpper }, target) => minUpper < target.minUpper,
  minLower: ({ minLower }, target) => minLower < target.minLower,
  minNumeric: ({ minNumeric }, target) => minNumeric < target.minNumeric,
  minSpecial: ({ minSpecial }, target) => minSpecial < target.minSpecial,
  minCharacterTypes: ({ types }, target) => types < target.minCharacterTypes,
  maxRepeatedChars: ({ maxRepeatedChars }, target) =>
    target.maxRepeatedChars > 0 &&
    (maxRepeatedChars === 0 || maxRepeatedChars > target.maxRepeatedChars),
  history: (_given, { history }) => history > 0,
  minAgeSeconds: (_given, { minAgeSeconds }) => minAgeSeconds > 0,
};

/**
 * Whether a password that every one of these policies accepts can break the limit of a source.
 * @param groupPolicies empty when no policy has checked the password
 */
export const couldBreak =
  (groupPolicies: readonly PolicyRules[], filter: PasswordFilter | null) =>
  (limit: TargetLimit, target: TargetPolicy): boolean =>
    groupPolicies.every((rules) => gapRules[limit](givenBy(rules, filter), target));

const limitNames = Object.keys(targetLimits) as TargetLimit[];

/** Sentences about the limits of a source that the policy of its group does not guarantee. */
export function gaps(
  policy: { readonly name: string; readonly rules: PolicyRules },
  { source, filter, policies }: Member,
): string[] {
  const given = givenBy(policy.rules, filter);
  const ofPolicies = policies.flatMap((target) => {
    const says = limitNames
      .filter((limit) => gapRules[limit](given, target))
      .map((limit) => targetLimits[limit].says(target))
      .filter((text) => text !== false);
    return says.length === 0
      ? []
      : [
          `${target.name} of "${source}" ${says.join(', ')}; the policy "${policy.name}" does not guarantee that.`,
        ];
  });
  if (filter === null || leastLeftBy(filter) <= leastLeft(policy.rules, filter)) return ofPolicies;
  return [
    ...ofPolicies,
    `The filter of "${source}" needs ${filter.minLength} characters that it does not remove; the policy "${policy.name}" does not guarantee that.`,
  ];
}

/** How many characters of a password the filter leaves at least. */
const leastLeft = (
  { minLength }: PolicyRules,
  { allowed, replaceWith, maxLength = Number.POSITIVE_INFINITY }: PasswordFilter,
): number =>
  allowed !== undefined && replaceWith === undefined ? 0 : Math.min(minLength, maxLength);

/** What the policy of the group guarantees about every password, after the filter of the source. */
export interface Given {
  readonly minLength: number;
  readonly maxLength: number;
  /** Maximum number of UTF-8 bytes of one code point. */
  readonly bytesEach: number;
  readonly minAlpha: number;
  readonly minUpper: number;
  readonly minLower: number;
  readonly minNumeric: number;
  readonly minSpecial: number;
  readonly types: number;
  readonly maxRepeatedChars: number;
}

export function givenBy(rules: PolicyRules, filter: PasswordFilter | null): Given {
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

/**
 * What is still guaranteed after a filter, which may remove or replace any character that it does not allow, and cut
 * off the end.
 */
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
