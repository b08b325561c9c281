import { ApplicationFailure } from '@temporalio/common';
import { sourcesWithOldPassword } from '../../model/configuration/adapter';
import type { Configuration } from '../../model/configuration/document';
import { channelsFor } from '../../model/configuration/notice-channels';
import { type ChangeAtWork, readChangeAtWork } from '../../store/worker/outcomes';
import type { Dependencies } from '../dependencies';
import { type LendPasswords, passwordLender } from './unseal-passwords';

export interface LoadedChange {
  readonly change: ChangeAtWork;
  readonly configuration: Configuration;
  readonly withPasswords: LendPasswords;
}

/**
 * Reads a change and the configuration in force. Every activity calls this first, because only the id of a change
 * passes through Temporal.
 * @throws ApplicationFailure `not_found`, which Temporal does not retry, when the rows of the change were removed
 */
export async function loadChange(
  deps: Pick<Dependencies, 'db' | 'keys' | 'configuration' | 'boundTo'>,
  changeId: string,
): Promise<LoadedChange> {
  const change = await readChangeAtWork(deps.db, changeId);
  if (change === null)
    throw ApplicationFailure.nonRetryable(
      'The store has no change with this id: its rows were removed. Terminate this workflow.',
      'not_found',
    );
  const { configuration } = await deps.configuration(change.configurationVersion);
  const notifiesPerson = channelsFor(configuration, 'people').length > 0;
  return {
    change: {
      ...change,
      notifiesPerson,
      inOrderAt: sourcesWithOldPassword(configuration),
      isVerifiedOnce: deps.boundTo !== undefined,
    },
    configuration,
    withPasswords: passwordLender(deps, change),
  };
}
