import { heartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { log } from '../log';
import { changeAuthAccount } from './change-auth-account';
import { closeChange } from './close-change';
import type { Dependencies } from './dependencies';
import { finishAccounts } from './finish-accounts';
import { passOverSource } from './pass-over-source';
import { settleMappings } from './settle-mappings';

/** All that a workflow can ask for. Workflows know this by type only. */
export const createActivities = (deps: Dependencies) => ({
  changeAuthAccount: sanitised(changeAuthAccount(deps)),
  passOverSource: beating(sanitised(passOverSource(deps))),
  finishAccounts: beating(sanitised(finishAccounts(deps))),
  settleMappings: sanitised(settleMappings(deps)),
  closeChange: sanitised(closeChange(deps)),
});

export type Activities = ReturnType<typeof createActivities>;

const BEAT_MS = 5_000;

/** On the queue lane the engine learns by its silence that a worker is gone, and gives the step to another one. */
function beating<Parameters extends unknown[], Result>(
  activity: (...parameters: Parameters) => Promise<Result>,
): (...parameters: Parameters) => Promise<Result> {
  return async (...parameters) => {
    const beat = setInterval(() => heartbeat(), BEAT_MS);
    try {
      return await activity(...parameters);
    } finally {
      clearInterval(beat);
    }
  };
}

/** The engine keeps the text and stack of every failure in clear, and errors of drivers quote what they were given. */
function sanitised<Parameters extends [changeId: string, ...unknown[]], Result>(
  activity: (...parameters: Parameters) => Promise<Result>,
): (...parameters: Parameters) => Promise<Result> {
  return async (...parameters) => {
    try {
      return await activity(...parameters);
    } catch (error) {
      if (error instanceof ApplicationFailure) throw error;
      log.warn('a step did not come to its end and is repeated', {
        changeId: parameters[0],
        error,
      });
      const failure = ApplicationFailure.create({
        type: 'step_interrupted',
        message:
          'The step did not come to its end. The log of the worker says why; it is repeated.',
      });
      failure.stack = '';
      throw failure;
    }
  };
}
