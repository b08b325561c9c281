import type { GroupRules } from '../../model/api/password-rules';
import type { TextInAll } from '../../model/configuration/titles';
import type { PolicyRules } from '../../model/policy/presets';
import {
  type SourcePolicy,
  type TargetLimit,
  targetLimits,
} from '../../model/policy/target-limits';
import { gapRules, givenBy } from '../../model/policy/target-policy';

/** The number or the characters of a rule. */
export type Counted = number | string;

/** The rules that a person can see, of policies and of sources. */
export type RuleName =
  | Exclude<
      keyof PolicyRules,
      | 'useIdentityAttributes'
      | 'accountNameMinWordLength'
      | 'accountIdMinWordLength'
      | 'dictionary'
      | 'blocklist'
    >
  | 'lists'
  | 'history'
  | 'minAgeSeconds';

/** One row of the list of rules. */
export interface RuleRow {
  readonly rule: RuleName;
  readonly value: Counted;
  /** The only source that has the rule; null for a rule of the policy. */
  readonly source: string | null;
  /** The title of that source; null for a rule of the policy. */
  readonly title: TextInAll | null;
  /** True if the page can check it while the person types; false if only Lockstep or the source can. */
  readonly checked: boolean;
}

const counted = [
  ...(['minLength', 'maxLength', 'minAlpha', 'minNonAlpha', 'minUpper', 'minLower'] as const),
  ...(['minNumeric', 'minSpecial', 'minCharacterTypes', 'maxRepeatedChars'] as const),
];

/**
 * The rules that apply to a new password, each once: those of the policies, and the limits of sources that the policy
 * does not already guarantee. A source with several policies has no rows: which of them binds the person is not known.
 */
export function ruleRows(groups: readonly GroupRules[]): RuleRow[] {
  const all = groups.flatMap(({ rules, hasLists, sources }) => [
    ...policyRows(rules as PolicyRules, hasLists),
    ...sources.flatMap(({ source, title, policies: [policy, ...more] }) =>
      policy === undefined || more.length > 0
        ? []
        : limitRows(rules as PolicyRules, { source, title }, policy),
    ),
  ]);
  const once = new Map(all.map((row) => [`${row.rule} ${row.value} ${row.source}`, row]));
  return [...once.values()].sort((one, other) => Number(other.checked) - Number(one.checked));
}

function policyRows(rules: PolicyRules, hasLists: boolean): RuleRow[] {
  const row = (rule: RuleName, value: Counted, checked: boolean, applies: boolean): RuleRow[] =>
    applies ? [{ rule, value, source: null, title: null, checked }] : [];
  return [
    ...counted.flatMap((rule) => row(rule, rules[rule], true, rules[rule] > 0)),
    ...row('allowed', rules.allowed ?? '', true, rules.allowed !== null),
    ...row('notAllowed', rules.notAllowed, true, rules.notAllowed !== ''),
    ...row('notCommon', '', true, rules.notCommon),
    ...row(
      'identityWordMinLength',
      rules.identityWordMinLength,
      true,
      rules.useIdentityAttributes && rules.identityWordMinLength > 0,
    ),
    ...row('validateAgainstAccountName', '', false, rules.validateAgainstAccountName),
    ...row('validateAgainstAccountId', '', false, rules.validateAgainstAccountId),
    ...row('lists', '', false, hasLists),
  ];
}

function limitRows(
  rules: PolicyRules,
  source: Pick<RuleRow, 'source' | 'title'>,
  policy: SourcePolicy,
): RuleRow[] {
  const given = givenBy(rules, null);
  return (Object.keys(targetLimits) as TargetLimit[])
    .filter((limit) => gapRules[limit](given, policy) && targetLimits[limit].says(policy) !== false)
    .map((limit) => ({
      rule: limit,
      value: policy[limit] ?? '',
      ...source,
      checked: 'broken' in targetLimits[limit],
    }));
}

/** The rules in the format that Apple's password generator reads (the attribute `passwordrules`). */
export function passwordRulesAttribute(groups: readonly GroupRules[]): string {
  const all = groups.flatMap(({ rules, sources }) => [
    rules as PolicyRules,
    ...sources.flatMap(({ policies }) => (policies.length === 1 ? policies : [])),
  ]);
  const most = (pick: (one: PolicyRules | SourcePolicy) => number) => Math.max(0, ...all.map(pick));
  const maxLength = Math.min(...all.map((one) => one.maxLength ?? Number.POSITIVE_INFINITY));
  const repeats = all.map((one) => one.maxRepeatedChars).filter((count) => count > 0);
  return [
    `minlength: ${most((one) => one.minLength)}`,
    ...(Number.isFinite(maxLength) ? [`maxlength: ${maxLength}`] : []),
    ...(most((one) => one.minUpper) > 0 ? ['required: upper'] : []),
    ...(most((one) => one.minLower) > 0 ? ['required: lower'] : []),
    ...(most((one) => one.minNumeric) > 0 ? ['required: digit'] : []),
    ...(most((one) => one.minSpecial) > 0 ? ['required: special'] : []),
    ...(repeats.length > 0 ? [`max-consecutive: ${Math.min(...repeats)}`] : []),
  ]
    .map((rule) => `${rule};`)
    .join(' ');
}
