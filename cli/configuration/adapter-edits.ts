import { PULL_KIND } from '../../model/adapters/settings';
import type { Adapter } from '../../model/configuration/adapter';
import {
  type AdapterFlagName,
  adapterNamed,
  adaptersIn,
  withEnabled as allEnabled,
  withoutAdapter as blockRemoved,
  type NamedAdapter,
  withMembers,
  withNewAdapter as withNewBlock,
  withProperties as withSettings,
} from '../../model/configuration/adapter-edits';
import { type Configuration, sourceNamed } from '../../model/configuration/document';
import { usage } from '../failure';

/** Edits of the adapters in a configuration. Each one throws `usage` when it does not fit. */

export interface AdapterFlag {
  readonly name: AdapterFlagName;
  readonly value: boolean;
}

/** Adapters as the JSON output has them. */
export const byName = (found: readonly NamedAdapter[]): Record<string, NamedAdapter['adapter']> =>
  Object.fromEntries(found.map(({ name, adapter }) => [name, adapter]));

export function existingAdapter(configuration: Configuration, name: string): NamedAdapter {
  const found = adapterNamed(configuration, name);
  if (found === undefined)
    throw usage(`There is no adapter "${name}". "lockstep adapters" lists them.`);
  return found;
}

/** The adapters of a group, of which there is at least one. */
export function groupedAdapters(configuration: Configuration, group: string): NamedAdapter[] {
  const found = adaptersIn(configuration).filter(({ adapter }) => adapter.adapterGroup === group);
  if (found.length === 0)
    throw usage(`No adapter is in the group "${group}". "lockstep adapters" shows the groups.`);
  return found;
}

export function withNewAdapter(
  configuration: Configuration,
  name: string,
  applications: readonly string[],
  flags: readonly AdapterFlag[],
): Configuration {
  const source = sourceNamed(configuration, name);
  if (source === undefined)
    throw usage(`There is no source "${name}". Connect it first; "lockstep sources" lists them.`);
  if (source.adapter !== undefined)
    throw usage(`The source "${name}" is an adapter. Use "lockstep adapters update ${name}".`);
  const members = { applications: [...applications], ...valuesOf(flags) };
  return withNewBlock(configuration, name, source, members);
}

const valuesOf = (flags: readonly AdapterFlag[]): Partial<Adapter> =>
  Object.fromEntries(flags.map(({ name, value }) => [name, value]));

export function withAdapter(
  configuration: Configuration,
  name: string,
  changes: Partial<Adapter> & { readonly flags?: readonly AdapterFlag[] },
): Configuration {
  const { flags = [], ...members } = changes;
  const adapter = existingAdapter(configuration, name);
  return withMembers(configuration, adapter, { ...members, ...valuesOf(flags) });
}

export function withoutGroup(configuration: Configuration, name: string): Configuration {
  const adapter = existingAdapter(configuration, name);
  if (adapter.adapter.adapterGroup === undefined)
    throw usage(`The adapter "${name}" is in no group.`);
  return withMembers(configuration, adapter, { adapterGroup: null });
}

export function withoutAdapter(configuration: Configuration, name: string): Configuration {
  const adapter = existingAdapter(configuration, name);
  if (adapter.adapter.enabled)
    throw usage(`The adapter "${name}" is enabled. Run "lockstep adapters disable ${name}" first.`);
  return blockRemoved(configuration, adapter);
}

/** Sets properties of an adapter that pulls its changes; null sets the default. */
export function withProperties(
  configuration: Configuration,
  name: string,
  properties: Readonly<Record<string, unknown>>,
): Configuration {
  const adapter = existingAdapter(configuration, name);
  if (adapter.source.kind !== PULL_KIND)
    throw usage(
      `The source "${name}" is of the kind ${adapter.source.kind}, whose adapter has no properties. Only one that pulls has them.`,
    );
  return withSettings(configuration, adapter, properties);
}

export function withApplication(
  configuration: Configuration,
  name: string,
  application: string,
): Configuration {
  const { adapter } = existingAdapter(configuration, name);
  if (adapter.applications.includes(application))
    throw usage(`The adapter "${name}" serves the application "${application}" already.`);
  return withAdapter(configuration, name, {
    applications: [...adapter.applications, application],
  });
}

/** An application has one adapter at most, so its name is enough. */
export function withoutApplication(
  configuration: Configuration,
  application: string,
): Configuration {
  const found = adaptersIn(configuration).find(({ adapter }) =>
    adapter.applications.includes(application),
  );
  if (found === undefined) throw usage(`No adapter serves an application "${application}".`);
  return withAdapter(configuration, found.name, {
    applications: found.adapter.applications.filter((one) => one !== application),
  });
}

/** Enables or disables several adapters at once. */
export const withEnabled = (
  configuration: Configuration,
  names: readonly string[],
  enabled: boolean,
): Configuration =>
  allEnabled(
    configuration,
    names.map((name) => existingAdapter(configuration, name)),
    enabled,
  );
