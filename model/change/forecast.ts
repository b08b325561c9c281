import type { Finding } from '../api/job-results';
import type { AccountFilter } from '../configuration/account-filter';
import { errors, isErrorCode, waitingSays } from '../errors';
import type { Secret } from '../passwords/secret';
import type { StoredProblem } from '../people/links';
import { brokenLimits } from '../policy/broken-limits';
import { rewrite } from '../policy/password-filter';
import type { PolicyRules } from '../policy/presets';
import { gaps, type TargetPolicy } from '../policy/target-policy';
import type { OutcomeState } from './outcome';
import type { PlannedAccount } from './plan';
import type { OutcomeReason } from './reason';
import { isSignInObstacle, signInObstacles } from './sign-in-prevented';
import { type SourceState, sourceSays } from './source-circuit';

/**
 * What Lockstep knows about an account before a change, without a call to its source: the state of the source, the
 * findings and the policies of its last check, what is wrong with the link, and what became of the account in the last
 * change.
 */
export interface KnownBefore {
  readonly source: string;
  readonly problem: StoredProblem | null;
  readonly state: SourceState;
  readonly findings: readonly Finding[];
  /** False for a caller that may not read findings, which name service accounts and hosts: it gets only their checks. */
  readonly showsFindings: boolean;
  readonly policies: readonly TargetPolicy[];
  /** The filter of the account. */
  readonly filter: AccountFilter;
  /** The policies of the groups of the change. */
  readonly groupPolicies: readonly { readonly name: string; readonly rules: PolicyRules }[];
  readonly last: {
    readonly changeId: string;
    readonly state: OutcomeState;
    readonly reason: OutcomeReason | null;
  } | null;
}

/**
 * Warnings about a planned account: why its source may refuse the password, or why it has to wait.
 * @param password the new password; null when the dry run has none, so that only the policies are compared
 */
export function forecast(known: KnownBefore, password: Secret | null): string[] {
  const { source, problem, state, findings, showsFindings } = known;
  return [
    ...(problem === null
      ? []
      : [
          `The account in "${source}" gets no password as it is linked now. ${errors[problem].says}`,
        ]),
    ...(state.state === 'up' ? [] : [`"${source}" is ${state.state}. ${sourceSays(state)}`]),
    ...findings
      .filter(({ verdict }) => verdict === 'wrong')
      .map(({ check, says }) =>
        showsFindings
          ? `The last check of "${source}" found: ${says}`
          : `The last check of "${source}" found a problem (${check}). An operator sees it with "lockstep doctor ${source}".`,
      ),
    ...limitWarnings(known, password),
    ...lastWarnings(known),
  ];
}

function limitWarnings(known: KnownBefore, password: Secret | null): string[] {
  const { source, filter = null, policies, groupPolicies } = known;
  if (filter === 'filter_conflict') return [errors.filter_conflict.says];
  return password === null
    ? [...new Set(groupPolicies.flatMap((policy) => gaps(policy, { source, filter, policies })))]
    : limitsAgainst(known, password).warnings;
}

/** Whether the source refuses this password, by every policy that it has shown or by its filter. */
export const refusesPassword = (known: KnownBefore, password: Secret): boolean =>
  limitsAgainst(known, password).refused;

function limitsAgainst({ source, filter, policies }: KnownBefore, password: Secret) {
  const broken = (written: Secret) => {
    const warnings = brokenLimits(source, policies, written);
    return { warnings, refused: policies.length > 0 && warnings.length === policies.length };
  };
  if (filter === undefined) return broken(password);
  if (filter === 'filter_conflict')
    return { warnings: [errors.filter_conflict.says], refused: true };
  const written = rewrite(filter, password);
  if (written === null) {
    const says = `The password filter of the account in "${source}" leaves too little of the password, so it is refused.`;
    return { warnings: [says], refused: true };
  }
  try {
    return broken(written);
  } finally {
    written.destroy();
  }
}

/** A refusal that concerned the value only says nothing about another password. */
const aboutTheValue = (reason: OutcomeReason): boolean =>
  reason.startsWith('policy') ||
  ['character_not_supported', 'encoding_not_supported', 'wrong_current_password', 'too_old'].some(
    (code) => code === reason,
  );

const remembered: readonly OutcomeState[] = ['waiting', 'parked', 'rejected'];

function lastWarnings({ source, problem, last }: KnownBefore): string[] {
  if (last === null || last.reason === null || last.reason === problem) return [];
  const { state, reason, changeId } = last;
  const intro = `In the change ${changeId}, the account in "${source}"`;
  if (state === 'applied' && isSignInObstacle(reason))
    return [`${intro} took the password. ${signInObstacles[reason].says}`];
  if (!remembered.includes(state) || !isErrorCode(reason) || aboutTheValue(reason)) return [];
  return state === 'waiting'
    ? [`${intro} still waits. ${waitingSays(reason)}`]
    : [`${intro} was ${state}. ${errors[reason].says}`];
}

/** Warnings about a change as a whole: why it would be refused whatever the password. */
export function wholeForecast(planned: readonly PlannedAccount[]): string[] {
  const auth = planned.find(({ role }) => role === 'auth');
  if (auth === undefined)
    return [
      'The change would be refused: this person has no account in the auth source of the group. Link one.',
    ];
  return auth.leftOut === 'source_disabled'
    ? [
        `The change would be refused: the auth source "${auth.source}" is switched off in the configuration.`,
      ]
    : [];
}
