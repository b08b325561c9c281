import { z } from 'zod';
import { authGoesLast, type ChangeState, changeStates } from '../../model/change/change';
import { type OutcomeState, outcomeStates } from '../../model/change/outcome';
import { type LeaveOutCode, leaveOutSays } from '../../model/change/plan';
import { type ErrorCode, errorCodes, errors } from '../../model/errors';
import { forms } from '../../model/hashes/encoding';
import type { ChangeSummary, ChangeView, OutcomeView } from '../../store/changes/read';
import type { Standstill } from '../../store/presence';
import { waitingFor, waitingForSchema } from '../admin/presence';
import type { Settings } from '../http/dependencies';
import { errorCode, time, timeOrNull } from '../http/schemas';

/** A change as people read it: every state and code with its sentence. */

const keysOf = <Key extends string>(table: Readonly<Record<Key, unknown>>) =>
  Object.keys(table) as [Key, ...Key[]];

export const changeState = z
  .enum(keysOf<ChangeState>(changeStates))
  .meta({ id: 'ChangeState', description: tableOf(changeStates) });

const outcomeState = z
  .enum(keysOf<OutcomeState>(outcomeStates))
  .meta({ id: 'OutcomeState', description: tableOf(outcomeStates) });

const leaveOutCodes = keysOf<LeaveOutCode>(leaveOutSays);
export const leaveOutReason = z.enum(leaveOutCodes).nullable();
const outcomeReason = z
  .enum([...errorCodes, ...leaveOutCodes] as [ErrorCode | LeaveOutCode])
  .nullable();

const accountSchema = z.object({
  label: z.string().describe('Unique in the change: the source, numbered from the second account.'),
  source: z.string(),
  account: z.string().nullable().describe('How the source calls it; null until it is found.'),
  role: z.enum(['auth', 'member']).describe('The auth account goes first.'),
  outcome: outcomeState,
  says: z.string(),
  reason: outcomeReason,
  vendorCode: z.string().nullable().describe('The code that the source gave.'),
  attempts: z.int(),
  inDoubt: z.boolean().describe('It may hold either password.'),
  proved: z.boolean().describe('The new password was seen to work.'),
  proof: z.enum(['login', 'hash', 'timestamp', 'none']),
  nextTryAt: timeOrNull,
  updatedAt: time,
});

const mappingSchema = z.object({
  application: z.string(),
  source: z.string(),
  account: z.string(),
  state: z.enum(['empty', 'in_sync', 'out_of_sync']),
  reason: z.string().nullable(),
});

export const changeSchema = z
  .object({
    id: z.string(),
    identity: z.string(),
    seq: z.int().describe('Grows with each change of this person.'),
    groups: z.array(z.string()),
    state: changeState,
    says: z.string(),
    reason: errorCode.nullable(),
    reasonSays: z.string().nullable(),
    requestedBy: z.string().describe('The name of the API key.'),
    form: z
      .enum(forms)
      .describe(
        'What the password came as. Other than `plaintext`: a hash, and no policy has judged it.',
      ),
    policy: z.enum(['judged', 'skipped']).describe('`skipped`: it came as a hash.'),
    capturedAt: timeOrNull.describe(
      'When the password was changed in the account whose reason is `origin`; null when it was asked for.',
    ),
    createdAt: time,
    expiresAt: time,
    endedAt: timeOrNull,
    waitingFor: waitingForSchema,
    accounts: z.array(accountSchema),
    mappings: z.array(mappingSchema),
    links: z.object({
      self: z.string(),
      events: z.string(),
      temporal: z.string().optional().describe('The workflow in the Temporal Web UI.'),
    }),
  })
  .meta({ id: 'Change' });

export type Change = z.output<typeof changeSchema>;

export const summarySchema = z
  .object({
    id: z.string(),
    identity: z.string(),
    groups: z.array(z.string()),
    state: changeState,
    createdAt: time,
    endedAt: timeOrNull,
    accounts: z.int().describe('How many it touches.'),
    applied: z.int().describe('How many of them hold the new password.'),
    links: z.object({ self: z.string() }),
  })
  .meta({ id: 'ChangeSummary' });

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

export const summaryOf = (
  summary: ChangeSummary,
  links: Links,
): z.output<typeof summarySchema> => ({
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

function tableOf(states: Readonly<Record<string, { readonly says: string }>>): string {
  return Object.entries(states)
    .map(([state, { says }]) => `- \`${state}\`: ${says}`)
    .join('\n');
}
