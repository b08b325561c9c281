import { sql } from 'kysely';
import { fromRequest } from '../../model/change/credential-origin';
import type { StoredProblem } from '../../model/people/links';
import type { CredentialResult } from '../../model/people/set-credentials';
import type { Database } from '../database';
import { channels } from '../notifications';
import type { SourceJob } from '../sources/jobs';

/** What a job that sets a stored credential concerns. */
export interface CredentialTarget {
  readonly mappingId: string;
  readonly accountId: string;
  readonly identityId: string;
  readonly application: string;
  /** `none`: the source cannot verify the password, so no login is made, and the guard was not opened. */
  readonly verify?: 'login' | 'none';
  /** Absent in the requests of an api of an earlier release. */
  readonly setBy?: 'person' | 'administrator';
}

/** The state of the account before its password is verified. */
export interface CredentialState {
  /** Sequence number of the newest change of the person. */
  readonly lastSeq: number;
  /** Whether a change may still write this account, or has written it and will store its password itself. */
  readonly underWay: boolean;
  readonly problem: StoredProblem | null;
}

/** @returns null if the mapping was deleted, or its account unlinked */
export async function readCredentialState(
  db: Database,
  { mappingId, accountId, identityId }: CredentialTarget,
): Promise<CredentialState | null> {
  const { rows } = await sql<CredentialState>`
    select i.last_seq as "lastSeq", a.problem, exists (
      select from change c where c.identity_id = i.id and c.ended_at is null
        and (c.planned_at is null or exists (
          select from outcome o where o.change_id = c.id and o.state in ('pending', 'applying', 'waiting', 'parked')
            and (o.account_id = a.id or (o.account_id is null and o.source = a.source)))
          or (m.enabled and c.form = 'plaintext' and c.seq = a.applied_seq and c.seq > m.applied_seq))) as "underWay"
    from mapping m join account a on a.id = m.account_id join identity i on i.id = m.identity_id
    where m.id = ${mappingId} and a.id = ${accountId} and i.id = ${identityId}`.execute(db);
  return rows[0] ?? null;
}

export interface VerifiedCredential {
  readonly sealed: Buffer;
  readonly masterKeyId: string;
  /** The `lastSeq` that was read before the password was verified; the credential is sealed for it. */
  readonly lastSeq: number;
  /** The account as it was when the password was verified. */
  readonly account: { readonly name: string; readonly nativeId: string | null };
  readonly result: CredentialResult;
}

/**
 * Stores a credential and finishes its job in one statement, so that the caller never gets another answer than what is
 * stored. Nothing is stored when a change of the person was accepted since, when the caller no longer waits, or when the
 * mapping no longer leads to the account that was verified: it was unlinked, renamed, or given to another person. The locks
 * make the statement wait for those who are just changing that.
 * @returns whether it was stored
 */
export async function storeCredential(
  db: Database,
  job: Pick<SourceJob, 'id' | 'source' | 'requestedBy'>,
  target: CredentialTarget,
  { sealed, masterKeyId, lastSeq, account, result }: VerifiedCredential,
): Promise<boolean> {
  const storedFrom = fromRequest(result.proof ?? 'none', target.setBy === 'person');
  const { rows } = await sql`
    with awaited as (
      select id from job where id = ${job.id} and finished_at is null for update
    ), verified as (
      select a.id as account, i.id as person from identity i join account a on a.identity_id = i.id
      where i.id = ${target.identityId} and i.last_seq = ${lastSeq} and a.id = ${target.accountId}
        and a.name = ${account.name} and (${account.nativeId}::text is null or a.native_id = ${account.nativeId})
        and a.problem is distinct from 'linked_twice'
      for share
    ), stored as (
      update mapping m
      set sealed = ${sealed}, master_key_id = ${masterKeyId}, applied_seq = ${lastSeq},
          state = 'in_sync', reason = null, stored_from = ${storedFrom}, updated_at = now()
      from awaited, verified
      where m.id = ${target.mappingId} and m.account_id = verified.account and m.identity_id = verified.person
        and m.applied_seq <= ${lastSeq}
      returning m.id
    ), finished as (
      update job set state = 'done', result = ${JSON.stringify(result)}::jsonb, finished_at = now()
      from stored where job.id = ${job.id} returning job.id
    ), audited as (
      insert into audit (actor, action, subject, detail)
      select ${job.requestedBy}, 'mapping.credential-set', id, ${detailOf(job.source, target)}::jsonb
             || jsonb_build_object('proof', ${result.proof}::text)
      from stored
    )
    select pg_notify(${channels.job}, id) from finished`.execute(db);
  return rows.length === 1;
}

/** Records why nothing was stored. */
export async function noteRefusedCredential(
  db: Database,
  job: Pick<SourceJob, 'source' | 'requestedBy'>,
  target: CredentialTarget,
  reason: string,
): Promise<void> {
  await sql`
    insert into audit (actor, action, subject, detail)
    values (${job.requestedBy}, 'mapping.credential-refused', ${target.mappingId},
            ${detailOf(job.source, target)}::jsonb || jsonb_build_object('reason', ${reason}::text))`.execute(
    db,
  );
}

const detailOf = (source: string, { application, identityId }: CredentialTarget): string =>
  JSON.stringify({ application, identity: identityId, source });
