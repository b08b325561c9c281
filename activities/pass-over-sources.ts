import type { Dependencies } from './dependencies';
import { type PassResult, passOver } from './pass-over-source';
import { loadChange } from './shared/load-change';

/**
 * Activity 2 of 6, on the inline lane. A pass over several sources (`passOver`), or over one again whose accounts have
 * waited for it.
 */
export function passOverSources(deps: Dependencies) {
  return async (changeId: string, sources: readonly string[]): Promise<PassResult[]> => {
    return passOver(deps, await loadChange(deps, changeId), sources);
  };
}
