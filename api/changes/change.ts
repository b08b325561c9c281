import type { Change, ChangeSummary } from '../../model/api/changes';
import { authGoesLast, changeStates, preventedSignIns } from '../../model/change/change';
import { headline } from '../../model/change/headline';
import { heldCode, heldRules } from '../../model/change/holds';
import { outcomeStates } from '../../model/change/outcome';
import { type ReasonContext, reasonSays } from '../../model/change/reason';
import { signInObstacles } from '../../model/change/sign-in-prevented';
import { filtersIn } from '../../model/configuration/account-filter';
import { describedSource } from '../../model/configuration/described';
import { type Configuration, groupsOf, policiesOf } from '../../model/configuration/document';
import { errors } from '../../model/errors';
import { filterSays } from '../../model/policy/password-filter';
import type {
  ChangeView,
  OutcomeView,
  ChangeSummary as SummaryRow,
} from '../../store/changes/read';
import type { Standstill } from '../../store/presence';
import type { Settings } from '../http/dependencies';
import { changeWaitsFor } from '../http/waiting-for';

/** The base URLs that the links of a change start with. */
export type Links = Pick<Settings, 'publicUrl' | 'temporalUrl'>;

export const changeUrl = ({ publicUrl }: Pick<Links, 'publicUrl'>, id: string): string =>
  `${publicUrl}/v1/changes/${id}`;

/** A stored change in the form that the API returns: every state and code with its sentence. */
export function changeOf(
  view: ChangeView,
  standstill: Standstill,
  links: Links,
  configuration: Configuration | null,
): Change {
  const { accounts, mappings, reason, state, ...rest } = view;
  const authStatus = {
    goesLast: authGoesLast(accounts),
    applied: accounts.some((account) => account.role === 'auth' && account.state === 'applied'),
  };
  const self = changeUrl(links, view.id);
  const explainedBy = explanations(view, configuration);
  const { code, says } = headline({ state, partial: view.partial, outcomes: accounts });
  return {
    ...rest,
    groups: [...rest.groups],
    state,
    says,
    headline: code,
    reason,
    reasonSays: reason === null ? null : errors[reason].says,
    policy: view.form === 'plaintext' ? ('judged' as const) : ('skipped' as const),
    waitingFor: changeStates[state].ended ? null : changeWaitsFor(standstill, mappings),
    signInsPrevented: preventedSignIns(accounts),
    accounts: accounts.map(({ sourcePolicies, pausedBy, ...account }) => {
      const context = { ...explainedBy(account.source, sourcePolicies), pausedBy };
      const { state: outcome, reason: cause, ...rest } = account;
      const { isOrigin: _o, isOvertaken: _n, isChangedSince: _s, ...shown } = rest;
      const held = heldRules[heldCode(account)];
      return {
        ...shown,
        ...describedSource(configuration, account.source),
        outcome,
        reason: cause,
        reasonSays: cause === null ? null : reasonSays(outcome, cause, context),
        says: outcomeSays(account, context, authStatus),
        rewriting: rewritingSays(context.filters),
        proved: account.proof !== 'none',
        holds: held.holds,
        holdsSays: held.says,
      };
    }),
    mappings: mappings.map(({ appliedSeq: _, ...mapping }) => mapping),
    links: {
      self,
      events: `${self}/events`,
      ...(links.temporalUrl === null
        ? {}
        : { temporal: `${links.temporalUrl}/workflows/${view.id}` }),
    },
  };
}

export const summaryOf = (summary: SummaryRow, links: Links): ChangeSummary => ({
  ...summary,
  groups: [...summary.groups],
  links: { self: changeUrl(links, summary.id) },
});

interface AuthStatus {
  /** The group is directory-last: the auth account is changed after the other accounts. */
  readonly goesLast: boolean;
  /** The auth account holds the new password. */
  readonly applied: boolean;
}

/** What the sentences about an outcome may quote. Without the configuration they quote no limit. */
const explanations =
  ({ groups, form }: ChangeView, configuration: Configuration | null) =>
  (
    source: string,
    sourcePolicies: ReasonContext['sourcePolicies'],
  ): Omit<ReasonContext, 'pausedBy'> => {
    if (configuration === null)
      return { source, sourcePolicies: null, filters: [null], satisfied: [] };
    const names = groupsOf(configuration)
      .filter(({ name }) => groups.includes(name))
      .map(({ policy }) => policy);
    return {
      source,
      sourcePolicies,
      filters: filtersIn(configuration, source),
      satisfied:
        form === 'plaintext'
          ? policiesOf(configuration)
              .filter(({ name }) => names.includes(name))
              .map(({ rules }) => rules)
          : [],
    };
  };

function outcomeSays(
  { role, state, reason, signInPrevented }: Omit<OutcomeView, 'sourcePolicies' | 'pausedBy'>,
  context: ReasonContext,
  auth: AuthStatus,
): string {
  if (state === 'pending' && role === 'member' && !auth.goesLast && !auth.applied)
    return 'waiting for the auth account';
  if (state === 'pending' && role === 'auth' && auth.goesLast)
    return 'waiting for the other accounts';
  const { says } = outcomeStates[state];
  if (signInPrevented !== null) return `${says}. ${signInObstacles[signInPrevented].says}`;
  return reason === null ? says : `${says}: ${reasonSays(state, reason, context)}`;
}

/** What the password filters of an account do to a password; null if it has none. */
function rewritingSays(filters: ReasonContext['filters']): string | null {
  const says = filters.flatMap((filter) => (filter === null ? [] : [filterSays(filter)]));
  return says.length === 0 ? null : [...new Set(says)].join(', or ');
}
