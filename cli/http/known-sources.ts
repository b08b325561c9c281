import { usage } from '../failure';
import type { Api } from './api';
import type { Source } from './shapes';

/** The sources that are named, or all where none is. @throws Failure that says which there are */
export async function knownSources(api: Api, named: readonly string[]): Promise<Source[]> {
  const { sources } = await api.get<{ sources: Source[] }>(['sources']);
  const unknown = named.find((name) => !sources.some((source) => source.name === name));
  if (unknown === undefined)
    return named.length === 0 ? sources : sources.filter(({ name }) => named.includes(name));
  const names = sources.map(({ name }) => name).join(', ') || 'none yet';
  throw usage(`There is no source "${unknown}"; there are: ${names}.`);
}
