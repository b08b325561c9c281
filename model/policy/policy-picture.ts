import { withCodePoints } from '../passwords/code-points';
import { Secret } from '../passwords/secret';
import { brokenRules, type Known, nothingKnown } from './checks';
import { type PasswordClass, passwordClass } from './password-class';
import { type PasswordFilter, rewrite } from './password-filter';
import type { PolicyRules } from './presets';
import { sampleOf } from './sample-password';
import { type PictureRule, somePerson, variantsOf } from './sample-variants';
import { limitsBroken, type SourcePolicy, type TargetLimit, targetLimits } from './target-limits';
import {
  asksNothing,
  bindingPolicies,
  demandOfGroup,
  demandsOfMember,
  type Member,
} from './target-policy';

/** What one policy demands by a rule. */
export interface Bound {
  /** Null for the policy of the group. */
  readonly source: string | null;
  /** The name of the policy. */
  readonly policy: string;
  /** A predicate, such as "requires 15 characters or more". */
  readonly says: string;
  /** Whether no other policy demands more. */
  readonly strictest: boolean;
}

export interface PictureRow {
  readonly rule: PictureRule;
  readonly bounds: readonly Bound[];
  /** A password that breaks this rule, and as few others as possible; null if none was found. */
  readonly fails: string | null;
}

/** A policy and the limits of the sources of its group as an intersection. */
export interface PolicyPicture {
  readonly rows: readonly PictureRow[];
  /** A password that every policy accepts; null if none was found. */
  readonly passes: string | null;
  /** A password for each policy that it accepts alone; null if there is none. Empty if `passes` is not null. */
  readonly alone: readonly {
    readonly source: string | null;
    readonly policy: string;
    readonly passes: string | null;
  }[];
}

/** One policy that applies to a password, with the function that enforces it. */
interface Checker {
  readonly source: string | null;
  readonly policy: string;
  readonly says: (rule: PictureRule) => string | false;
  readonly value: (rule: PictureRule) => number;
  readonly broken: (points: Uint32Array) => readonly PictureRule[];
  readonly suits: PasswordClass | null;
}

/**
 * Draws the rules of a group. Every example is tried with the functions that enforce the rules, so it is what it is
 * shown as. No example has to do with a password of a person.
 */
export function policyPicture(
  policy: { readonly name: string; readonly rules: PolicyRules },
  members: readonly Member[],
): PolicyPicture {
  const checkers = [checkerOfGroup(policy), ...members.flatMap(checkersOfMember)];
  const demands = [demandOfGroup(policy.name, policy.rules), ...members.flatMap(demandsOfMember)];
  const fitting = passwordClass(demands) ?? checkers[0]?.suits ?? null;
  const base = fitting === null ? '' : sampleOf(fitting);
  const rows = rowsOf(checkers);
  const pool = rows.flatMap(({ rule, bounds }) =>
    bounds.flatMap(({ value }) => variantsOf(rule, fitting, base, value)),
  );
  const evaluated = [...new Set(pool)].map((sample) => ({
    sample,
    broken: brokenBy(checkers, sample),
  }));
  const passes = base !== '' && brokenBy(checkers, base).size === 0 ? base : null;
  return {
    rows: rows.map(({ rule, bounds }) => ({
      rule,
      bounds: bounds.map(({ value: _, ...bound }) => bound),
      fails: failing(evaluated, rule),
    })),
    passes,
    alone: passes === null ? checkers.map(aloneOf) : [],
  };
}

/** The sample that breaks the rule and the fewest others. */
const failing = (
  evaluated: readonly { readonly sample: string; readonly broken: ReadonlySet<PictureRule> }[],
  rule: PictureRule,
): string | null =>
  evaluated
    .filter(({ broken }) => broken.has(rule))
    .sort((one, other) => one.broken.size - other.broken.size)[0]?.sample ?? null;

function aloneOf(checker: Checker): PolicyPicture['alone'][number] {
  const { source, policy, suits } = checker;
  const sample = suits === null ? null : sampleOf(suits);
  const passes = sample !== null && brokenBy([checker], sample).size === 0 ? sample : null;
  return { source, policy, passes };
}

function brokenBy(checkers: readonly Checker[], sample: string): ReadonlySet<PictureRule> {
  const secret = Secret.fromText(sample);
  const broken = withCodePoints(secret, (points) =>
    checkers.flatMap((checker) => checker.broken(points)),
  );
  secret.destroy();
  return new Set(broken);
}

const known: Known = { ...nothingKnown, ...somePerson };

const checkerOfGroup = ({ name, rules }: Parameters<typeof policyPicture>[0]): Checker => ({
  source: null,
  policy: name,
  says: (rule) =>
    rule in targetLimits
      ? limitSays(rule, { ...asksNothing, ...rules, name })
      : (policySays[rule as keyof PolicyRules]?.(rules) ?? false),
  value: (rule) => numberOf(rules[rule as keyof PolicyRules]),
  broken: (points) => brokenRules(rules, points, known).map(({ rule }) => rule),
  suits: passwordClass([demandOfGroup(name, rules)]),
});

const checkersOfMember = (member: Member): Checker[] =>
  bindingPolicies(member).map((policy) => ({
    source: member.source,
    policy: policy.name,
    says: (rule) => limitSays(rule, policy),
    value: (rule) => numberOf(rule in targetLimits ? policy[rule as TargetLimit] : null),
    broken: (points) => afterFilter(member.filter, points, (left) => limitsBroken(policy, left)),
    suits: passwordClass(demandsOfMember({ ...member, policies: [policy] })),
  }));

const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0);

const limitSays = (rule: PictureRule, policy: SourcePolicy): string | false =>
  rule in targetLimits && targetLimits[rule as TargetLimit].says(policy);

/** What a source checks is the password that its filter leaves. */
function afterFilter(
  filter: PasswordFilter | null,
  points: Uint32Array,
  broken: (left: Uint32Array) => readonly PictureRule[],
): readonly PictureRule[] {
  if (filter === null) return broken(points);
  const text = Secret.fromText(String.fromCodePoint(...points));
  const rewritten = rewrite(filter, text);
  text.destroy();
  if (rewritten === null) return ['minLength'];
  try {
    return withCodePoints(rewritten, broken);
  } finally {
    rewritten.destroy();
  }
}

/** The rules that no source has, as predicates. */
const policySays: {
  readonly [Rule in keyof PolicyRules]?: (rules: PolicyRules) => string | false;
} = {
  minNonAlpha: ({ minNonAlpha }) =>
    minNonAlpha > 0 && `requires ${minNonAlpha} or more characters other than letters`,
  allowed: ({ allowed }) => allowed !== null && `accepts only the characters ${allowed}`,
  notAllowed: ({ notAllowed }) => notAllowed !== '' && `refuses the characters ${notAllowed}`,
  identityWordMinLength: ({ useIdentityAttributes, identityWordMinLength }) =>
    useIdentityAttributes &&
    identityWordMinLength > 0 &&
    `refuses words of the name and attributes of the person, from ${identityWordMinLength} characters on`,
  validateAgainstAccountName: (rules) =>
    rules.validateAgainstAccountName &&
    `refuses words of account names, from ${rules.accountNameMinWordLength} characters on`,
  validateAgainstAccountId: (rules) =>
    rules.validateAgainstAccountId &&
    `refuses words that identify accounts, from ${rules.accountIdMinWordLength} characters on`,
  dictionary: ({ dictionary }) => dictionary !== null && 'refuses words of its dictionary',
  notCommon: ({ notCommon }) => notCommon && 'refuses the most used passwords',
  blocklist: ({ blocklist }) => blocklist !== null && 'refuses leaked passwords of its list',
  minStrength: ({ minStrength }) =>
    minStrength > 0 && `requires an estimated strength of ${minStrength} of 4`,
};

const allRules: readonly PictureRule[] = [
  ...(Object.keys(targetLimits) as TargetLimit[]),
  ...(Object.keys(policySays) as (keyof PolicyRules)[]),
];

/** The rules for which the smallest value demands most. */
const lowIsStrict: readonly PictureRule[] = ['maxLength', 'maxRepeatedChars'];

/** A row for each rule that at least one policy sets. */
function rowsOf(checkers: readonly Checker[]) {
  return allRules.flatMap((rule) => {
    const set = checkers.flatMap(({ source, policy, says, value }) => {
      const text = says(rule);
      return text === false ? [] : [{ source, policy, says: text, value: value(rule) }];
    });
    if (set.length === 0) return [];
    const values = set.map(({ value }) => value);
    const most = lowIsStrict.includes(rule) ? Math.min(...values) : Math.max(...values);
    const bounds = set.map((bound) => ({ ...bound, strictest: bound.value === most }));
    return [{ rule, bounds }];
  });
}
