import type { Source } from '../../model/api/sources';
import { type SourceState, sourceSays } from '../../model/change/source-circuit';
import {
  type Configuration,
  type SourceConfiguration,
  sourceNamed,
} from '../../model/configuration/document';
import { laneOf } from '../../model/configuration/limits';
import { described } from '../../model/configuration/titles';
import { nextRefreshAt } from '../../model/people/refresh-schedule';
import type { Caller } from '../../store/api-keys';
import { readServersInUse } from '../../store/presence';
import { type RefreshState, readLastRefreshes } from '../../store/sources/refreshes';
import { readSourceStates } from '../../store/sources/state';
import { readSourceUse } from '../../store/sources/usage';
import type { Dependencies } from '../http/dependencies';
import { visibleGroups, visibleSources } from './visible';

/** The sources that the API key may see, in alphabetical order. */
export async function readSources(deps: Dependencies, caller: Caller): Promise<Source[]> {
  const { configuration } = await deps.configuration();
  const [use, states, servers, refreshes] = await Promise.all([
    readSourceUse(deps.db),
    readSourceStates(deps.db),
    readServersInUse(deps.db),
    readLastRefreshes(deps.db),
  ]);
  const groups = visibleGroups(configuration, caller);
  return visibleSources(configuration, caller).flatMap((name) => {
    const source = sourceNamed(configuration, name);
    if (source === undefined) return [];
    return {
      ...settingsOf(name, source),
      groups: groups.filter((group) => group.sources.includes(name)).map((group) => group.name),
      servers: servers.get(name) ?? [],
      ...statusOf(states.get(name) ?? { state: 'up' }),
      ...(use.get(name) ?? { accounts: 0, waiting: 0, parked: 0 }),
      refresh: refreshOf(source, refreshes.get(name) ?? null),
    };
  });
}

const settingsOf = (name: string, source: Configuration['sources'][string]) => {
  const { kind, enabled, prove, maxPerSecond = null, maxAtOnce = null } = source;
  return {
    name,
    ...described(name, source),
    kind,
    enabled,
    prove,
    lane: laneOf(source),
    maxPerSecond,
    maxAtOnce,
  };
};

function refreshOf(
  { enabled, refresh: schedule }: SourceConfiguration,
  last: RefreshState | null,
): Source['refresh'] {
  const running = last !== null && last.finishedAt === null;
  return {
    lastAt: last?.requestedAt ?? null,
    failed: last?.failed ?? false,
    running,
    progress: running ? last.progress : null,
    nextAt: schedule === undefined || !enabled ? null : nextRefreshAt(schedule, last, new Date()),
  };
}

const statusOf = (source: SourceState) => ({
  state: source.state,
  since: source.state === 'up' ? null : source.since,
  reason: source.state === 'up' ? null : source.reason,
  says: sourceSays(source),
  pausedBy: source.state === 'paused' ? source.by : null,
  pausedUntil: source.state === 'paused' ? source.until : null,
  nextProbeAt: source.state === 'down' ? source.nextProbeAt : null,
});
