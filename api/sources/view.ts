import type { Source } from '../../model/api/sources';
import { type SourceState, sourceSays } from '../../model/change/source-circuit';
import { type Configuration, groupsOf, sourceNamed } from '../../model/configuration/document';
import type { Caller } from '../../store/api-keys';
import { readSourceStates } from '../../store/sources/state';
import { readSourceUse } from '../../store/sources/usage';
import type { Dependencies } from '../http/dependencies';

/** A source as people read it: what it is, whether it can be used now, and who waits for it. */

/** The names of those that the key may see, in their order. */
export function visibleSources(configuration: Configuration, caller: Caller): string[] {
  const names = Object.keys(configuration.sources).sort();
  if (caller.groups === null) return names;
  const seen = new Set(groupsOfCaller(configuration, caller).flatMap(({ sources }) => sources));
  return names.filter((name) => seen.has(name));
}

const groupsOfCaller = (configuration: Configuration, { groups }: Caller) =>
  groupsOf(configuration).filter(({ name }) => groups === null || groups.includes(name));

/** Those that the key may see, by name. */
export async function readSources(deps: Dependencies, caller: Caller): Promise<Source[]> {
  const { configuration } = await deps.configuration();
  const [use, troubles] = await Promise.all([readSourceUse(deps.db), readSourceStates(deps.db)]);
  const groups = groupsOfCaller(configuration, caller);
  return visibleSources(configuration, caller).flatMap((name) => {
    const source = sourceNamed(configuration, name);
    if (source === undefined) return [];
    return {
      ...settingsOf(name, source),
      groups: groups.filter((group) => group.sources.includes(name)).map((group) => group.name),
      ...statusOf(troubles.get(name) ?? { state: 'up' }),
      ...(use.get(name) ?? { accounts: 0, waiting: 0, parked: 0 }),
    };
  });
}

const settingsOf = (
  name: string,
  { kind, enabled, prove, lane }: Configuration['sources'][string],
) => ({ name, kind, enabled, prove, lane });

const statusOf = (source: SourceState) => ({
  state: source.state,
  since: source.state === 'up' ? null : source.since,
  reason: source.state === 'up' ? null : source.reason,
  says: sourceSays(source),
  pausedBy: source.state === 'paused' ? source.by : null,
  nextProbeAt: source.state === 'down' ? source.nextProbeAt : null,
});
