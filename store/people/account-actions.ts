import type { AccountAction, ActionResult } from '../../model/people/account-actions';
import { writeAudit } from '../audit';
import { type Database, withTransaction } from '../database';
import { requestJob } from '../sources/jobs';

/** One action at one account, as an agent asked for it. */
export interface WantedAction {
  readonly action: AccountAction;
  readonly identityId: string;
  readonly person: string;
  readonly accountId: string;
  readonly source: string;
  /** The name of the account in its source. */
  readonly account: string;
  /** Why the agent asks for it, such as the number of a ticket. */
  readonly ticket: string;
  /** The agent that the API key names, or else the name of the key. */
  readonly agent: string;
}

/**
 * Stores one job for each account, with its audit record. `worker/jobs/act-on-account.ts` carries them out.
 * @returns the ids of the jobs, in the order of `wanted`
 */
export const requestActions = (
  db: Database,
  wanted: readonly WantedAction[],
  requestedBy: string,
): Promise<string[]> =>
  withTransaction(db, async (trx) => {
    const ids: string[] = [];
    for (const one of wanted) {
      const { action: kind, source, ...parameters } = one;
      ids.push(await requestJob(trx, { kind, source, parameters, requestedBy }));
      await auditAction(trx, one, requestedBy, 'requested', null);
    }
    return ids;
  });

/** Records a step of an action: that it was requested, or what became of it. */
export const auditAction = (
  db: Database,
  { action, accountId, person, source, account, ticket, agent }: WantedAction,
  requestedBy: string,
  step: 'requested' | ActionResult,
  failure: { readonly reason: string | null; readonly vendorCode: string | null } | null,
): Promise<void> =>
  writeAudit(db, {
    actor: requestedBy,
    action: `account.${action}.${step}`,
    subject: accountId,
    detail: { person, source, account, agent, ticket, ...failure },
  });
