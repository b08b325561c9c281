import type { Database } from '../database';
import { type AppliedConfiguration, currentConfiguration } from './versions';

/**
 * The configuration in force, read again only when it changed.
 * @returns a function that gives the configuration of at least the version asked for
 */
export function watchConfiguration(
  db: Database,
): (atLeast?: number) => Promise<AppliedConfiguration> {
  let known: AppliedConfiguration | null = null;
  return async (atLeast = Number.POSITIVE_INFINITY) => {
    if (known === null || known.version < atLeast) known = await currentConfiguration(db);
    return known;
  };
}
