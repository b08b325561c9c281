import { sql } from 'kysely';
import type { SignInResult } from '../../model/captures/sign-in';
import type { MappingUse } from '../../model/change/adapter-rules';
import { writeAudit } from '../audit';
import type { Database } from '../database';
import { mappingsOfAccount } from '../people/mappings';
import type { SourceJob } from '../sources/jobs';
import { settleGuard } from './login-guard';

/** The sealed password of a sign-in check, and the account that is asked whether it holds it. */
export interface SealedSignIn {
  readonly account: {
    readonly id: string;
    readonly name: string;
    readonly nativeId: string | null;
    readonly mappings: readonly MappingUse[];
  };
  readonly epochId: string;
  readonly jwe: Buffer;
  readonly expiresAt: Date;
}

/**
 * Deletes and returns the sealed password of a sign-in check, so that at most one login is made with it, even if the
 * worker dies.
 * @returns null when it was used before, or has expired
 */
export async function dequeueSignIn(db: Database, jobId: string): Promise<SealedSignIn | null> {
  const { rows } = await sql<SealedSignIn>`
    with dequeued as (
      delete from sealed_sign_in where job_id = ${jobId} and expires_at > now()
      returning account_id, epoch_id, jwe, expires_at
    )
    select json_build_object('id', a.id, 'name', a.name, 'nativeId', a.native_id,
                             'mappings', ${mappingsOfAccount}) as account,
           epoch_id as "epochId", jwe, expires_at as "expiresAt"
    from dequeued join account a on a.id = dequeued.account_id`.execute(db);
  return rows[0] ?? null;
}

/**
 * Records the result of a sign-in check. After a successful login the account may be asked again at once. After a
 * login without a result it may be asked again soon, and the attempt does not count as a failure.
 */
export async function noteSignIn(
  db: Database,
  { source, requestedBy, parameters }: Pick<SourceJob, 'source' | 'requestedBy' | 'parameters'>,
  accountId: string,
  result: SignInResult,
): Promise<void> {
  await settleGuard(db, accountId, result);
  await writeAudit(db, {
    actor: requestedBy,
    action: `sign-in.${result}`,
    subject: accountId,
    detail: { source, identity: String(parameters.identityId) },
  });
}

/**
 * Deletes sign-in checks that no worker made in time; no login was made, so their accounts may be asked again. Also
 * deletes jobs of logins older than 10 minutes, whose results are no longer needed.
 */
export async function forgetSignIns(db: Database): Promise<void> {
  await sql`
    with late as (
      delete from sealed_sign_in s using job
      where s.expires_at <= now() and job.id = s.job_id
      returning s.account_id, job.kind, job.requested_by, job.source, job.parameters
    ), not_stored as (
      insert into audit (actor, action, subject, detail)
      select requested_by, 'mapping.credential-refused', parameters ->> 'mappingId',
             jsonb_build_object('source', source, 'identity', parameters ->> 'identityId',
                                'application', parameters ->> 'application', 'reason', 'too_old')
      from late where kind = 'set-credentials'
    ), audited as (
      insert into audit (actor, action, subject, detail)
      select requested_by, 'sign-in.unknown', account_id,
             jsonb_build_object('source', source, 'identity', parameters ->> 'identityId')
      from late where kind = 'sign-in'
    )
    update sign_in_guard g set failures = g.failures - 1, closed_until = now()
    from late where g.account_id = late.account_id`.execute(db);
  await sql`
    delete from job where kind in ('sign-in', 'set-credentials') and created_at < now() - interval '10 minutes'`.execute(
    db,
  );
}
