import type { Dependencies } from '../../activities/dependencies';
import { log } from '../../log';
import { type SourceConfiguration, sourceNamed } from '../../model/configuration/document';
import { isAccountAction } from '../../model/people/account-actions';
import { channels, listen } from '../../store/notifications';
import {
  claimJob,
  finishJob,
  type Job,
  jobsOfPeople,
  jobsOfSources,
} from '../../store/sources/jobs';
import type { JobKind } from '../../store/tables';
import { startLoop } from '../loop';
import { actOnAccount } from './act-on-account';
import { answerSignIn } from './answer-sign-in';
import { checkSource } from './check-source';
import { lookAtSource } from './look-at-source';
import { refreshSource } from './refresh-source';

/** Lease of a job. Another worker may claim a job that was not finished by then. */
const LEASE_SECONDS = 300;

/**
 * Starts to do the jobs that `store/sources/jobs.ts` has stored: it claims rows, does their work, and stores the
 * result.
 */
export async function startJobs(
  deps: Dependencies,
  databaseUrl: string,
): Promise<{ stop(): Promise<void> }> {
  // A person waits for the result of some jobs, and a refresh may take minutes.
  const loops = [
    startLoop({ name: 'jobs', everyMs: 10_000, atOnce: 4 }, () => doJob(deps, jobsOfSources)),
    startLoop({ name: 'jobs of people', everyMs: 10_000, atOnce: 8 }, () =>
      doJob(deps, jobsOfPeople),
    ),
  ];
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
async function doJob(deps: Dependencies, kinds: readonly JobKind[]): Promise<boolean> {
  const job = await claimJob(deps.db, LEASE_SECONDS, kinds);
  if (job === null) return false;
  try {
    await finishJob(deps.db, job.id, 'done', await carryOut(deps, job));
  } catch (error) {
    log.error('a job failed; start it again once the cause is fixed', {
      source: job.source,
      code: job.kind,
      error,
    });
    await finishJob(deps.db, job.id, 'failed', { code: 'internal' });
  }
  return true;
}

/** Whether accounts of the source are linked by a refresh, so that it must be able to list them. */
const needsRefresh = ({ correlate, createIdentities }: SourceConfiguration): boolean =>
  correlate.length > 0 || createIdentities !== undefined;

async function carryOut(deps: Dependencies, job: Job): Promise<unknown> {
  const { configuration } = await deps.configuration(Number.POSITIVE_INFINITY);
  const source = sourceNamed(configuration, job.source);
  if (source === undefined) return { code: 'not_found' };
  if (job.kind === 'sign-in') return answerSignIn(deps, job, source);
  if (isAccountAction(job.kind)) return actOnAccount(deps, { ...job, kind: job.kind }, source);
  const connector = await deps.connector(job.source, source);
  const rules = deps.accountRules(source, configuration.sources);
  switch (job.kind) {
    case 'check':
      return checkSource(deps.db, job.source, connector, needsRefresh(source));
    case 'refresh':
      return refreshSource(deps, job, source, connector, rules);
    case 'look':
      return lookAtSource(deps.db, job.source, connector, rules);
  }
}
