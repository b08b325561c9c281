import { z } from 'zod';
import { rulesIn } from '../../intake/find-person';
import {
  type ActedAccount,
  accountActionSchema,
  actionOutcomeSchema,
} from '../../model/api/account-actions';
import { text } from '../../model/api/fields';
import type { Configuration } from '../../model/configuration/document';
import { type AccountAction, actionSays } from '../../model/people/account-actions';
import { isSameName } from '../../model/people/naming';
import type { Caller } from '../../store/api-keys';
import { requestActions, type WantedAction } from '../../store/people/account-actions';
import { type AccountView, findIdentity, storedName } from '../../store/people/identities';
import type { JobView } from '../../store/sources/jobs';
import { actorOf } from '../http/actor';
import type { Dependencies } from '../http/dependencies';
import { appliedPreference, preferHeader } from '../http/prefer';
import { HttpProblem } from '../http/problem';
import { type Route, route, smallBody } from '../http/route';
import { accountName, personName, sourceName } from '../http/schemas';
import { visibleSources } from '../sources/visible';
import { waitForJob } from '../sources/wait-for-job';

const body = z
  .strictObject({
    source: sourceName.optional().describe('Only the accounts in this source.'),
    account: accountName
      .optional()
      .describe('Only this account, for a person who has several in the source.'),
    reason: text(200).describe(
      'Why, such as the number of a ticket. The audit records it, so never give a password here.',
    ),
  })
  .refine(({ source, account }) => account === undefined || source !== undefined, {
    path: ['source'],
    message: 'name the source of the account',
  })
  .meta({ id: 'WantedAccountAction' });

type Body = z.output<typeof body>;

const summaries: Readonly<Record<AccountAction, string>> = {
  unlock: 'Unlock the accounts of a person',
  'force-change': 'Make a person change the password at the next login',
};

const descriptions: Readonly<Record<AccountAction, string>> = {
  unlock:
    'Ends the locks that failed logins have caused, in every source that can do that, and lets the person give the current password again. It enables no account.',
  'force-change':
    'The accounts keep their passwords until then. A later change through Lockstep keeps the obligation; it ends when the person changes the password in the source.',
};

const act = (action: AccountAction): Route =>
  route({
    method: 'post',
    path: `/v1/identities/{name}/${action}`,
    right: 'help',
    summary: summaries[action],
    description: descriptions[action],
    params: z.strictObject({ name: personName }),
    headers: z.object({ prefer: preferHeader }),
    body: smallBody(body, {
      all: { reason: 'ticket 4711' },
      one: { source: 'corp-directory', reason: 'ticket 4711' },
    }),
    answers: {
      200: { says: 'What became of it at each account.', schema: accountActionSchema },
      202: {
        says: 'Workers have not carried it out at every account yet.',
        schema: accountActionSchema,
      },
    },
    problems: ['not_found'],
    handle: async (deps, { caller, params: { name }, headers: { prefer }, body: wanted, gone }) => {
      const requested = await accountsOf(deps, caller, name, wanted, action);
      const jobs = await requestActions(deps.db, requested, actorOf(caller));
      const finished = await Promise.all(
        jobs.map((id) => waitForJob(deps, id, prefer.waitMs, gone)),
      );
      const accounts = requested.map((one, index) =>
        viewOf(one, jobs[index] ?? '', finished[index] ?? null),
      );
      const status = finished.includes(null) ? (202 as const) : (200 as const);
      const answer = { identity: name, action, accounts };
      return { status, body: answer, headers: appliedPreference(prefer) };
    },
  });

/**
 * The accounts of the person that the request means and the caller may see, in sources that are in use.
 * @throws HttpProblem `not_found` if there is none, so that a bound key does not learn who exists
 */
async function accountsOf(
  deps: Dependencies,
  caller: Caller,
  person: string,
  wanted: Body,
  action: AccountAction,
): Promise<WantedAction[]> {
  const { configuration } = await deps.configuration();
  const sources = visibleSources(configuration, caller);
  const identity = await findIdentity(deps.db, { name: await storedName(deps.db, person) });
  const accounts = (identity?.accounts ?? []).filter(
    (account) =>
      sources.includes(account.source) &&
      configuration.sources[account.source]?.enabled === true &&
      isMeant(configuration, account, wanted),
  );
  if (identity === null || accounts.length === 0) throw new HttpProblem('not_found');
  return accounts.map(({ id, source, name: account }) => ({
    ...{ action, identityId: identity.id, person: identity.name, accountId: id, source, account },
    ...{ ticket: wanted.reason, agent: caller.name },
  }));
}

const isMeant = (
  configuration: Configuration,
  account: AccountView,
  { source = account.source, account: name = account.name }: Body,
): boolean =>
  account.source === source &&
  isSameName(rulesIn(configuration, source).naming, account.name, name);

function viewOf(
  { action, source, account }: WantedAction,
  job: string,
  finished: JobView | null,
): ActedAccount {
  const read = actionOutcomeSchema.safeParse(finished?.result);
  const none = finished === null ? UNFINISHED : BROKEN;
  const outcome = read.success ? read.data : none;
  const says = actionSays(action, outcome.result, outcome.reason);
  return { job, source, account, ...outcome, says };
}

const UNFINISHED = { result: null, reason: null, vendorCode: null } as const;
/** The job failed by a bug, and the log of the worker has the error. */
const BROKEN = { result: 'failed', reason: 'lockstep_failed', vendorCode: null } as const;

export const accountActionRoutes: readonly Route[] = [act('unlock'), act('force-change')];
