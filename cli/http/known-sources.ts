import { usage } from '../failure';
import type { Source, Sources } from './answers';
import type { Api } from './api';

/** Returns the named sources, or all if none is named. @throws Failure that lists the existing sources if a name is unknown */
export async function knownSources(api: Api, named: readonly string[]): Promise<readonly Source[]> {
  const { sources } = await api.get<Sources>(['sources']);
  const unknown = named.find((name) => !sources.some((source) => source.name === name));
  if (unknown === undefined)
    return named.length === 0 ? sources : sources.filter(({ name }) => named.includes(name));
  const names = sources.map(({ name }) => name).join(', ') || 'none yet';
  throw usage(`There is no source "${unknown}". Sources: ${names}.`);
}
