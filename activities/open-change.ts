import { ApplicationFailure } from '@temporalio/common';
import type { Configuration } from '../model/configuration/document';
import { type ChangeAtWork, readChangeAtWork } from '../store/worker/outcomes';
import type { Dependencies } from './dependencies';

export interface OpenWork {
  readonly change: ChangeAtWork;
  readonly configuration: Configuration;
}

/**
 * The change and the configuration in force.
 * @throws ApplicationFailure, not retried, when there is no such change: its rows were removed
 */
export async function openWork(deps: Dependencies, changeId: string): Promise<OpenWork> {
  const change = await readChangeAtWork(deps.db, changeId);
  if (change === null)
    throw ApplicationFailure.nonRetryable('There is no such change in the store', 'not_found');
  const { configuration } = await deps.configuration(change.configurationVersion);
  return { change, configuration };
}
