import { log } from '../../log';
import type { Database } from '../../store/database';
import { readPublicUrl } from '../../store/public-url';

/** The saved URL is read again after this time, so an api that moves needs no restart of the workers. */
const MAX_AGE_MS = 60_000;

/**
 * Makes the function that returns the URL of the page of a change.
 * @param own the public URL that this worker was given; undefined uses the one that an api has saved
 * @param otherwise the URL of an api without a public URL
 */
export function linksToChanges(
  db: Database,
  own: string | undefined,
  otherwise: string,
): (changeId: string) => Promise<string> {
  let cached: { readonly url: string; readonly until: number } | null = null;
  const read = async (): Promise<string> => {
    if (cached !== null && performance.now() < cached.until) return cached.url;
    const saved = await readPublicUrl(db).catch((error) => {
      log.debug('the public URL of the api could not be read', { error });
      return null;
    });
    cached = { url: saved ?? cached?.url ?? otherwise, until: performance.now() + MAX_AGE_MS };
    return cached.url;
  };
  return async (changeId) => `${(own ?? (await read())).replace(/\/$/, '')}/changes/${changeId}`;
}
