import { sql } from 'kysely';
import { ACTION_WITHIN_SECONDS } from '../../model/people/account-actions';
import type { StoredProblem } from '../../model/people/links';
import type { NamedAccount } from '../../model/people/naming';
import type { Database } from '../database';

/** The linked account of an action, as it is stored now. */
export interface ActedAccount extends NamedAccount {
  readonly idLearnt: boolean;
  readonly problem: StoredProblem | null;
  /** False if the action was requested too long ago to be carried out. */
  readonly inTime: boolean;
}

/** @returns null if the account is not linked to the person any more */
export async function readActedAccount(
  db: Database,
  jobId: string,
  { accountId, identityId }: { readonly accountId: string; readonly identityId: string },
): Promise<ActedAccount | null> {
  const { rows } = await sql<ActedAccount>`
    select a.name, a.native_id as "nativeId", a.id_learnt as "idLearnt", a.problem,
           job.created_at > now() - make_interval(secs => ${ACTION_WITHIN_SECONDS}) as "inTime"
    from account a, job
    where a.id = ${accountId} and a.identity_id = ${identityId} and job.id = ${jobId}`.execute(db);
  return rows[0] ?? null;
}
