import { type Configuration, groupsOf } from '../../model/configuration/document';
import type { Caller } from '../../store/api-keys';

/** The groups that the API key may see: all of them unless it is bound to some. */
export const visibleGroups = (configuration: Configuration, { groups }: Caller) =>
  groupsOf(configuration).filter(({ name }) => groups === null || groups.includes(name));

/** The names of the sources that the API key may see, in alphabetical order. */
export function visibleSources(configuration: Configuration, caller: Caller): string[] {
  const names = Object.keys(configuration.sources).sort();
  if (caller.groups === null) return names;
  const visible = new Set(visibleGroups(configuration, caller).flatMap(({ sources }) => sources));
  return names.filter((name) => visible.has(name));
}
