import type { Dependencies } from '../../activities/dependencies';
import { log } from '../../log';
import type { Configuration } from '../../model/configuration/document';
import { type LastRefresh, nextRefreshAt } from '../../model/people/refresh-schedule';
import { type DueRefresh, requestDueRefreshes } from '../../store/sources/refreshes';
import { readSourceStates } from '../../store/sources/state';

/**
 * Requests the refreshes that the schedules of the sources make due. A source that is disabled, down or paused is
 * refreshed once it is available.
 */
export async function requestScheduledRefreshes({
  db,
  configuration,
}: Pick<Dependencies, 'db' | 'configuration'>): Promise<void> {
  const { configuration: inForce } = await configuration(Number.POSITIVE_INFINITY);
  if (Object.values(inForce.sources).every(({ refresh }) => refresh === undefined)) return;
  const unavailable = await readSourceStates(db);
  const requested = await requestDueRefreshes(db, (last, now) =>
    dueSources(inForce, last, now).filter(({ source }) => !unavailable.has(source)),
  );
  for (const { source } of requested) log.info('a scheduled refresh was requested', { source });
}

/** The sources that are due. The source of passwords that expire is also asked when each of them was changed. */
function dueSources(
  { sources, groups }: Configuration,
  last: ReadonlyMap<string, LastRefresh>,
  now: Date,
): DueRefresh[] {
  const expiring = Object.values(groups).flatMap(({ expiry, authSource }) =>
    expiry === undefined ? [] : [authSource],
  );
  return Object.entries(sources).flatMap(([source, { enabled, refresh }]) => {
    const next =
      enabled && refresh !== undefined
        ? nextRefreshAt(refresh, last.get(source) ?? null, now)
        : null;
    return next !== null && next <= now ? [{ source, look: expiring.includes(source) }] : [];
  });
}
