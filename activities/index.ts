import { activityInfo, heartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { log } from '../log';
import { traced } from '../telemetry/spans';
import { passName } from '../workflows/names';
import { changeAuthAccount } from './change-auth-account';
import { closeChange } from './close-change';
import type { Dependencies } from './dependencies';
import { finishAccounts } from './finish-accounts';
import { passOverSource } from './pass-over-source';
import { passOverSources } from './pass-over-sources';
import { settleMappings } from './settle-mappings';

/**
 * The six activities, which are all that a workflow can call, in the order in which a change uses them. Each has the
 * file of its name in this folder:
 * 1. `changeAuthAccount` makes the plan, then validates and changes the auth account;
 * 2. `passOverSources` makes the first attempt at every other account of the sources on the inline lane;
 * 3. `passOverSource` does the same for one source on the queue lane;
 * 4. `finishAccounts` makes a further attempt at accounts that wait;
 * 5. `settleMappings` brings the single sign-on mappings up to date;
 * 6. `closeChange` ends the outcomes that are still open, settles the mappings and destroys the password.
 *
 * The first four share one attempt: `attempt/attempt-accounts.ts`, whose docstring names what it calls. Recorded
 * histories refer to the activities by these keys, so a key never changes. Workflows import only the type.
 */
export const createActivities = (deps: Dependencies) => ({
  changeAuthAccount: step('changeAuthAccount', changeAuthAccount(deps)),
  passOverSources: step('passOverSources', passOverSources(deps)),
  passOverSource: beating(step('passOverSource', passOverSource(deps), (_id, source) => source)),
  finishAccounts: beating(
    step('finishAccounts', finishAccounts(deps), (_id, { source }) => source),
  ),
  settleMappings: step('settleMappings', settleMappings(deps)),
  closeChange: step('closeChange', closeChange(deps)),
  // Temporal calls this for every other name.
  default: step('passOverSources', namedPass(deps)),
});

export type Activities = ReturnType<typeof createActivities>;

/** The first pass over the inline sources under their names (`passName`), by which the Web UI shows it. */
function namedPass(deps: Dependencies) {
  const pass = passOverSources(deps);
  return async (changeId: string, sources: readonly string[]) => {
    // A newer worker may have activities that this one does not know: another worker has to run them.
    if (!Array.isArray(sources) || activityInfo().activityType !== passName(sources))
      throw ApplicationFailure.retryable('This worker has no such activity', 'unknown_activity');
    return pass(changeId, sources);
  };
}

const BEAT_MS = 5_000;

/**
 * Sends a heartbeat every `BEAT_MS` while the activity runs. On the queue lane Temporal takes a missing heartbeat for a
 * dead worker, and gives the step to another worker.
 */
export function beating<Parameters extends unknown[], Result>(
  activity: (...parameters: Parameters) => Promise<Result>,
): (...parameters: Parameters) => Promise<Result> {
  return async (...parameters) => {
    const beat = setInterval(() => heartbeat(), BEAT_MS).unref();
    try {
      return await activity(...parameters);
    } finally {
      clearInterval(beat);
    }
  };
}

/**
 * A step of a change: a span of its trace, whose errors are sanitised.
 * @param sourceOf the source that the step is about
 */
const step = <Parameters extends [changeId: string, ...unknown[]], Result>(
  name: string,
  activity: (...parameters: Parameters) => Promise<Result>,
  sourceOf?: (...parameters: Parameters) => string,
): ((...parameters: Parameters) => Promise<Result>) =>
  sanitised((...parameters) => {
    const attributes = sourceOf && { 'lockstep.source': sourceOf(...parameters) };
    return traced(name, { changeId: parameters[0], ...(attributes && { attributes }) }, () =>
      activity(...parameters),
    );
  });

/**
 * Replaces every error but an `ApplicationFailure` by one without details, and logs the original. Temporal keeps the
 * text and stack of a failure in clear, and errors of drivers quote their input, which may be a password.
 */
function sanitised<Parameters extends [changeId: string, ...unknown[]], Result>(
  activity: (...parameters: Parameters) => Promise<Result>,
): (...parameters: Parameters) => Promise<Result> {
  return async (...parameters) => {
    try {
      return await activity(...parameters);
    } catch (error) {
      if (error instanceof ApplicationFailure) throw error;
      log.warn('a step failed and is repeated; look for the cause in "error"', {
        changeId: parameters[0],
        error,
      });
      const failure = ApplicationFailure.create({
        type: 'step_interrupted',
        message:
          'The step failed and is repeated. Search the log of the worker for the id of the change to see why.',
      });
      failure.stack = '';
      throw failure;
    }
  };
}
