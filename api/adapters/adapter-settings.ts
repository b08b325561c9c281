import { PULL_KIND, type PullSettings, pullSettings } from '../../model/adapters/settings';
import { hasRight } from '../../model/api/scopes';
import { sourceNamed } from '../../model/configuration/document';
import type { Caller } from '../../store/api-keys';
import type { Dependencies } from '../http/dependencies';
import { HttpProblem } from '../http/problem';

/**
 * The settings of a source whose adapter calls.
 * @throws HttpProblem `not_found` if the source has no adapter, was removed, or the API key is not bound to it;
 *   `adapter_disabled` if it is disabled
 */
export async function adapterSettings(
  { configuration }: Dependencies,
  caller: Caller,
  name: string,
): Promise<PullSettings> {
  const source = sourceNamed((await configuration()).configuration, name);
  const isBound = caller.source === name || hasRight(caller.scopes, 'administer');
  if (source?.kind !== PULL_KIND || !isBound) throw new HttpProblem('not_found');
  if (!source.enabled || source.adapter?.enabled === false)
    throw new HttpProblem('adapter_disabled');
  return pullSettings.parse(source.settings);
}
