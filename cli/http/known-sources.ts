import { usage } from '../failure';
import type { Api } from './api';
import type { Source } from './shapes';

/** Returns the named sources, or all if none is named. @throws Failure that lists the existing sources if a name is unknown */
export async function knownSources(api: Api, named: readonly string[]): Promise<Source[]> {
  const { sources } = await api.get<{ sources: Source[] }>(['sources']);
  const unknown = named.find((name) => !sources.some((source) => source.name === name));
  if (unknown === undefined)
    return named.length === 0 ? sources : sources.filter(({ name }) => named.includes(name));
  const names = sources.map(({ name }) => name).join(', ') || 'none yet';
  throw usage(`There is no source "${unknown}". Sources: ${names}.`);
}
