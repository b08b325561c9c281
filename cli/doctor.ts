import { errors } from '../model/errors';
import type { Api } from './http/api';
import { isRefused, runJob } from './http/jobs';
import { ApiProblem } from './http/refusals';
import type { Finding, WaitingFor } from './http/shapes';

/** What `lockstep doctor` looks at, one part after the other. */

const CHECK_WAIT_SECONDS = 60;

const ok = (check: string, says: string): Finding => ({ check, verdict: 'ok', says });
const wrong = (check: string, says: string): Finding => ({ check, verdict: 'wrong', says });

/** What a source can be asked with; where one of these is wrong, every source would seem to be. */
export const prerequisites: readonly string[] = ['api', 'key', 'worker'];

export async function examineApi(api: Api): Promise<Finding[]> {
  const reachable = ok('reachable', `The api answers at ${api.url.origin}.`);
  try {
    const audit = await api.get<{ intact: boolean; records?: number; position?: number }>([
      'audit',
      'verify',
    ]);
    const chain = audit.intact
      ? ok('audit', `The chain of ${audit.records} records is intact.`)
      : wrong(
          'audit',
          `Record ${audit.position} is not as it was written: somebody changed the table audit.`,
        );
    return [reachable, ok('key', 'The API key may administer.'), chain, await examineEngine(api)];
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    const { code, detail } = error.problem;
    if (code === 'forbidden')
      return [reachable, wrong('key', `${detail} The doctor needs a key with the scope admin.`)];
    return [reachable, wrong(code === 'unauthenticated' ? 'key' : 'api', detail)];
  }
}

async function examineEngine(api: Api): Promise<Finding> {
  const { waitingFor } = await api.get<{ waitingFor: WaitingFor }>(['presence']);
  switch (waitingFor) {
    case null:
      return ok('engine', 'A worker runs and reaches the engine (Temporal).');
    case 'worker':
      return wrong('worker', 'No worker runs: changes are kept, and go on when you start one.');
    case 'engine':
      return wrong(
        'engine',
        'No worker reaches the engine (Temporal). Check TEMPORAL_ADDRESS and that it runs.',
      );
  }
}

export async function examineSource(api: Api, source: string): Promise<readonly Finding[]> {
  const result = await runJob<{ readonly findings: readonly Finding[] }>(api, {
    source,
    verb: 'check',
    waitSeconds: CHECK_WAIT_SECONDS,
  });
  if (result === null)
    return [
      wrong(
        'worker',
        `No worker has checked it within ${CHECK_WAIT_SECONDS} s. Start one, or see its log.`,
      ),
    ];
  return isRefused(result) ? [wrong('check', errors[result.code].says)] : result.findings;
}
