import type { Dependencies } from '../../activities/dependencies';
import { log } from '../../log';
import { type SourceConfiguration, sourceNamed } from '../../model/configuration/document';
import { isolatedSources } from '../../model/configuration/isolation';
import { isAccountAction } from '../../model/people/account-actions';
import { channels, listen } from '../../store/notifications';
import {
  claimJob,
  finishJob,
  type Job,
  type JobsOf,
  jobsOfPeople,
  keepJob,
  type SourceJob,
  slowJobs,
} from '../../store/sources/jobs';
import type { JobKind } from '../../store/tables';
import type { AuditChain } from '../../store/worker/audit/chain';
import { verifyAudit } from '../../store/worker/audit/verify';
import { startLoop } from '../loop';
import { actOnAccount } from './act-on-account';
import { answerSignIn } from './answer-sign-in';
import { type Candidate, checkCandidate, type OpenCandidate } from './check-candidate';
import { checkSource } from './check-source';
import { lookAtSource } from './look-at-source';
import { requestScheduledRefreshes } from './refresh-schedule';
import { refreshSource } from './refresh-source';
import { setCredentials } from './set-credentials';

/** Lease of a job, which its worker extends. Another worker may claim a job whose lease has ended. */
const LEASE_SECONDS = 300;
const EXTEND_MS = 60_000;
/** Interval at which the schedules of the sources are checked. */
const SCHEDULE_MS = 30_000;

/**
 * Starts to do the jobs that `store/sources/jobs.ts` has stored: it claims rows, does their work, and stores the
 * result. A bound worker does the jobs of its sources.
 * @param unbound what jobs without a source need; null for a bound worker, which does none of them
 */
export async function startJobs(
  deps: Dependencies,
  unbound: { readonly audit: AuditChain; readonly candidate: OpenCandidate } | null,
  databaseUrl: string,
): Promise<{ stop(): Promise<void> }> {
  const carryOut = (job: Job) => {
    if (unbound !== null && job.kind === 'verify-audit') return verifyAudit(deps.db, unbound.audit);
    if (unbound !== null && job.kind === 'check' && job.source === null)
      return checkCandidate(unbound.candidate, job.parameters as unknown as Candidate);
    return askSource(deps, {
      ...job,
      kind: job.kind as SourceJob['kind'],
      source: job.source ?? '',
    });
  };
  // A person waits for the result of some jobs, and a refresh may take minutes.
  const loops = [
    startLoop({ name: 'jobs', everyMs: 10_000, atOnce: 4 }, () => doJob(deps, slowJobs, carryOut)),
    startLoop({ name: 'jobs of people', everyMs: 10_000, atOnce: 8 }, () =>
      doJob(deps, jobsOfPeople, carryOut),
    ),
  ];
  if (deps.boundTo === undefined)
    loops.push(
      startLoop({ name: 'refresh schedule', everyMs: SCHEDULE_MS }, async () => {
        await requestScheduledRefreshes(deps);
        return false;
      }),
    );
  const listener = await listen(databaseUrl, [channels.job], () => {
    for (const loop of loops) loop.wake();
  });
  return {
    async stop() {
      await listener.close();
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  };
}

/**
 * Does the oldest open job of these kinds.
 * @returns whether there was one
 */
async function doJob(
  deps: Dependencies,
  kinds: readonly JobKind[],
  carryOut: (job: Job) => Promise<unknown>,
): Promise<boolean> {
  const { db } = deps;
  const job = await claimJob(db, LEASE_SECONDS, kinds, await jobsOf(deps));
  if (job === null) return false;
  const extend = setInterval(() => {
    keepJob(db, job.id, LEASE_SECONDS).catch((error: unknown) =>
      log.warn('the lease of a job could not be extended', { code: job.kind, error }),
    );
  }, EXTEND_MS);
  try {
    await finishJob(db, job.id, 'done', await carryOut(job));
  } catch (error) {
    log.error('a job failed; start it again once the cause is fixed', {
      ...(job.source !== null && { source: job.source }),
      code: job.kind,
      error,
    });
    await finishJob(db, job.id, 'failed', { code: 'internal' });
  } finally {
    clearInterval(extend);
  }
  return true;
}

async function jobsOf({ boundTo, configuration }: Dependencies): Promise<JobsOf> {
  if (boundTo !== undefined) return { only: boundTo };
  const inForce = await configuration(Number.POSITIVE_INFINITY);
  return { except: isolatedSources(inForce.configuration) };
}

/** Whether accounts of the source are linked by a refresh, so that it must be able to list them. */
const needsRefresh = ({ correlate, createIdentities }: SourceConfiguration): boolean =>
  correlate.length > 0 || createIdentities !== undefined;

async function askSource(deps: Dependencies, job: SourceJob): Promise<unknown> {
  const { configuration } = await deps.configuration(Number.POSITIVE_INFINITY);
  const source = sourceNamed(configuration, job.source);
  if (source === undefined) return { code: 'not_found' };
  if (job.kind === 'sign-in') return answerSignIn(deps, job, source, configuration);
  if (job.kind === 'set-credentials') return setCredentials(deps, job, source, configuration);
  if (isAccountAction(job.kind)) return actOnAccount(deps, { ...job, kind: job.kind }, source);
  const connector = await deps.connector(job.source, source);
  const rules = deps.accountRules(source, configuration.sources);
  switch (job.kind) {
    case 'check':
      return checkSource(deps.db, job.source, connector, needsRefresh(source));
    case 'refresh':
      return refreshSource(deps, job, source, connector, rules, configuration);
    case 'look':
      return lookAtSource(deps.db, job.source, connector, rules);
  }
}
