import { sql } from 'kysely';
import type { JobProgress } from '../../model/api/jobs';
import { accountActions } from '../../model/people/account-actions';
import type { Database } from '../database';
import { newId } from '../ids';
import { channels } from '../notifications';
import type { JobKind } from '../tables';

/**
 * Work outside a change that the api asks of a worker, because only a worker may talk to sources and has the keys:
 * checking a source for `lockstep doctor`, refreshing its accounts, looking when their passwords were last changed,
 * checking whether an account holds a password, storing a credential that it holds, unlocking an account for the help desk, or verifying the audit.
 */
export interface Job {
  readonly id: string;
  readonly kind: JobKind;
  /** Null for a job that concerns no source, and for the check of one that is not configured yet. */
  readonly source: string | null;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly requestedBy: string;
}

/** A job that asks a source. */
export interface SourceJob extends Job {
  readonly kind: Exclude<JobKind, 'verify-audit'>;
  readonly source: string;
}

export interface JobView {
  readonly id: string;
  readonly kind: JobKind;
  /** Null for a job that concerns no source. */
  readonly source: string | null;
  readonly state: 'open' | 'done' | 'failed';
  readonly result: unknown;
  /** How far the worker is; null when it has reported nothing. */
  readonly progress: JobProgress | null;
  readonly requestedBy: string;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
}

/**
 * Stores a job and notifies `channels.job`. `worker/jobs/jobs.ts` listens on that channel, claims the row and does the job;
 * if the notification is lost, a worker finds the row at its next check. The request of a job that a person waits for has
 * an audit record of its own.
 * @returns the id of the job
 */
export async function requestJob(db: Database, wanted: Omit<Job, 'id'>): Promise<string> {
  const id = newId('job');
  await sql`
    with requested as (
      insert into job (id, kind, source, parameters, requested_by)
      values (${id}, ${wanted.kind}, ${wanted.source}, ${JSON.stringify(wanted.parameters)}, ${wanted.requestedBy})
      returning id, source, parameters
    ), audited as (
      insert into audit (actor, action, subject, detail)
      select ${wanted.requestedBy}, ${`job.${wanted.kind}`}, id,
             parameters || jsonb_strip_nulls(jsonb_build_object('source', source))
      from requested where ${slowJobs.includes(wanted.kind)}
    )
    select pg_notify(${channels.job}, id) from requested`.execute(db);
  return id;
}

/** The kinds of jobs that may take minutes. */
export const slowJobs: readonly JobKind[] = ['check', 'refresh', 'look', 'verify-audit'];

/** The kinds of jobs whose result a person waits for. */
export const jobsOfPeople: readonly JobKind[] = ['sign-in', 'set-credentials', ...accountActions];

/**
 * The sources whose jobs a worker claims: a bound worker has `only` some, another one all `except` those that are isolated.
 * Jobs that need a master key are all of workers that are not bound.
 */
export type JobsOf = { readonly only: readonly string[] } | { readonly except: readonly string[] };

const needsMasterKey = sql<boolean>`kind = 'set-credentials'`;

/**
 * Claims the oldest open job of these kinds. If the worker does not finish it before the lease ends, another worker
 * may claim it.
 * @param of `only` leaves out the jobs that concern no source
 * @returns null when there is no such job
 */
export async function claimJob(
  db: Database,
  leaseSeconds: number,
  kinds: readonly JobKind[] = slowJobs,
  of: JobsOf = { except: [] },
): Promise<Job | null> {
  const isClaimable =
    'only' in of
      ? sql<boolean>`(source = any(${[...of.only]}::text[]) and not ${needsMasterKey})`
      : sql<boolean>`(source is null or source <> all(${[...of.except]}::text[]) or ${needsMasterKey})`;
  const { rows } = await sql<Job>`
    update job set claimed_until = now() + make_interval(secs => ${leaseSeconds})
    where id = (
      select id from job
      where finished_at is null and kind = any(${[...kinds]}::text[])
        and ${isClaimable} and (claimed_until is null or claimed_until < now())
      order by created_at limit 1 for update skip locked)
    returning id, kind, source, parameters, requested_by as "requestedBy"`.execute(db);
  return rows[0] ?? null;
}

/** Deletes the checks of sources that were not configured yet after an hour: their results show accounts of people. */
export async function forgetCandidateChecks(db: Database): Promise<void> {
  await sql`
    delete from job where kind = 'check' and source is null and created_at < now() - interval '1 hour'`.execute(
    db,
  );
}

/** Extends the lease of a job on which a worker is at work. */
export async function keepJob(db: Database, id: string, leaseSeconds: number): Promise<void> {
  await sql`
    update job set claimed_until = now() + make_interval(secs => ${leaseSeconds})
    where id = ${id} and finished_at is null`.execute(db);
}

/** Stores how far a job is. */
export async function reportProgress(
  db: Database,
  id: string,
  progress: JobProgress,
): Promise<void> {
  await sql`
    update job set progress = ${JSON.stringify(progress)}::jsonb
    where id = ${id} and finished_at is null`.execute(db);
}

/** Records the result of a job and notifies `channels.job`. A job that is finished already stays as it is. */
export async function finishJob(
  db: Database,
  id: string,
  state: 'done' | 'failed',
  result: unknown,
): Promise<void> {
  await sql`
    with finished as (
      update job set state = ${state}, result = ${JSON.stringify(result)}::jsonb, finished_at = now()
      where id = ${id} and finished_at is null returning id
    )
    select pg_notify(${channels.job}, id) from finished`.execute(db);
}

export async function readJob(db: Database, id: string): Promise<JobView | null> {
  const job = await db
    .selectFrom('job')
    .select(['id', 'kind', 'source', 'state', 'result', 'progress', 'requested_by as requestedBy'])
    .select(['created_at as createdAt', 'finished_at as finishedAt'])
    .where('id', '=', id)
    .executeTakeFirst();
  return job ?? null;
}

/** The result of the newest successful job of a kind, by source. */
export async function lastResults(
  db: Database,
  kind: JobKind,
): Promise<ReadonlyMap<string, unknown>> {
  const { rows } = await sql<{ source: string; result: unknown }>`
    select distinct on (source) source, result from job
    where kind = ${kind} and state = 'done' and source is not null order by source, finished_at desc`.execute(
    db,
  );
  return new Map(rows.map(({ source, result }) => [source, result]));
}
