import type { Change, ChangeSummary } from '../../model/api/changes';
import { authGoesLast, changeStates } from '../../model/change/change';
import { outcomeStates } from '../../model/change/outcome';
import { type LeaveOutCode, leaveOutSays } from '../../model/change/plan';
import { type ErrorCode, errors } from '../../model/errors';
import type {
  ChangeView,
  OutcomeView,
  ChangeSummary as SummaryRow,
} from '../../store/changes/read';
import type { Standstill } from '../../store/presence';
import { waitingFor } from '../admin/presence';
import type { Settings } from '../http/dependencies';

/** A change as people read it: every state and code with its sentence. */

export type Links = Pick<Settings, 'publicUrl' | 'temporalUrl'>;

export const changeUrl = ({ publicUrl }: Pick<Links, 'publicUrl'>, id: string): string =>
  `${publicUrl}/v1/changes/${id}`;

export function changeOf(view: ChangeView, standstill: Standstill, links: Links): Change {
  const { accounts, mappings, reason, state, ...rest } = view;
  const standing = {
    authLast: authGoesLast(accounts),
    authApplied: accounts.some((one) => one.role === 'auth' && one.state === 'applied'),
  };
  const self = changeUrl(links, view.id);
  return {
    ...rest,
    groups: [...rest.groups],
    state,
    says: changeStates[state].says,
    reason,
    reasonSays: reason === null ? null : errors[reason].says,
    policy: view.form === 'plaintext' ? ('judged' as const) : ('skipped' as const),
    waitingFor: changeStates[state].ended ? null : waitingFor(standstill),
    accounts: accounts.map(({ state: outcome, ...account }) => ({
      ...account,
      outcome,
      says: outcomeSays({ ...account, state: outcome }, standing),
      proved: account.proof !== 'none',
    })),
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

interface GroupStatus {
  readonly authLast: boolean;
  readonly authApplied: boolean;
}

function outcomeSays({ role, state, reason }: OutcomeView, standing: GroupStatus): string {
  if (state === 'pending' && role === 'member' && !standing.authLast && !standing.authApplied)
    return 'waiting for the auth account';
  if (state === 'pending' && role === 'auth' && standing.authLast)
    return 'waiting for the other accounts';
  const { says } = outcomeStates[state];
  return reason === null ? says : `${says}: ${reasonSays(reason)}`;
}

const reasonSays = (reason: ErrorCode | LeaveOutCode): string =>
  reason in errors ? errors[reason as ErrorCode].says : leaveOutSays[reason as LeaveOutCode];
