import type { Database } from '../database';
import { type AppliedConfiguration, currentConfiguration } from './versions';

/**
 * Caches the configuration in force.
 * @returns a function that gives the configuration. `atLeast` is the lowest version that will do: the cached one is
 *   used if it is not older, else the database is read. Without `atLeast` the database is read each time.
 */
export function watchConfiguration(
  db: Database,
): (atLeast?: number) => Promise<AppliedConfiguration> {
  let cached: AppliedConfiguration | null = null;
  return async (atLeast = Number.POSITIVE_INFINITY) => {
    if (cached === null || cached.version < atLeast)
      cached = await currentConfiguration(db, cached);
    return cached;
  };
}
