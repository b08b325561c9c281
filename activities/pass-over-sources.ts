import type { Dependencies } from './dependencies';
import { type PassResult, passOver } from './pass-over-source';
import { loadChange } from './shared/load-change';

/**
 * Activity 2 of 6, on the inline lane. The first pass over several sources, in parallel. A pass that fails, for example
 * because the store cannot be reached, ends no other pass; then the step is repeated, and settled accounts are skipped.
 */
export function passOverSources(deps: Dependencies) {
  return async (changeId: string, sources: readonly string[]): Promise<PassResult[]> => {
    const loaded = await loadChange(deps, changeId);
    const passes = sources.map((source) => passOver(deps, loaded, source));
    await Promise.allSettled(passes);
    return Promise.all(passes);
  };
}
