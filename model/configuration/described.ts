import { applicationNamed, type Configuration, loneGroupName, sourceNamed } from './document';
import { type Described, described, type TextInAll } from './titles';

/** What people read about the sources, groups and applications of a configuration: pages and notices use only this. */

type Sources = Pick<Configuration, 'sources'>;

/** @param configuration null if it is not known */
export const describedSource = (configuration: Sources | null, name: string): Described =>
  described(name, configuration === null ? undefined : sourceNamed(configuration, name));

/** An application has an older setting for the same, `label`, which is used where it has no title. */
export function describedApplication(
  configuration: Pick<Configuration, 'applications'> | null,
  name: string,
): Described {
  const application = configuration === null ? undefined : applicationNamed(configuration, name);
  const { title, label, hint } = application ?? {};
  return described(name, {
    title: title ?? (label === undefined ? undefined : { en: label }),
    hint,
  });
}

/** A source with a policy of its own is the only one in its group, so people read the title of the source. */
export function groupTitle(
  configuration: Pick<Configuration, 'groups' | 'sources'>,
  name: string,
): TextInAll {
  const { groups, sources } = configuration;
  const lone = Object.keys(sources).find((source) => loneGroupName(source) === name);
  if (lone !== undefined) return describedSource(configuration, lone).title;
  return described(name, Object.hasOwn(groups, name) ? groups[name] : undefined).title;
}
