import type { Adapter } from '../../model/configuration/adapter';
import type { Configuration, SourceConfiguration } from '../../model/configuration/document';
import { usage } from '../failure';

/** Edits of the adapters in a configuration. Each one throws `usage` when it does not fit. */

/** The flags of an adapter that `--set` changes; `enable` and `disable` change the other one. */
export const adapterFlags = [
  'syncToAdapter',
  'sendOldPassword',
  'syncFromAdapter',
  'verifyOldPassword',
  'changeWindowsPassword',
  'allowMappingConflicts',
] as const satisfies readonly (keyof Adapter)[];

export interface AdapterFlag {
  readonly name: (typeof adapterFlags)[number];
  readonly value: boolean;
}

interface NamedAdapter {
  readonly name: string;
  readonly source: SourceConfiguration;
  readonly adapter: Adapter;
}

export const adaptersIn = ({ sources }: Configuration): NamedAdapter[] =>
  Object.entries(sources).flatMap(([name, source]) =>
    source.adapter === undefined ? [] : [{ name, source, adapter: source.adapter }],
  );

/** Adapters as the JSON output has them. */
export const byName = (found: readonly NamedAdapter[]): Record<string, NamedAdapter['adapter']> =>
  Object.fromEntries(found.map(({ name, adapter }) => [name, adapter]));

export function existingAdapter(configuration: Configuration, name: string): NamedAdapter {
  const found = adaptersIn(configuration).find((one) => one.name === name);
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

const withSource = (configuration: Configuration, name: string, source: object) => ({
  ...configuration,
  sources: { ...configuration.sources, [name]: source },
});

/** A new adapter is disabled, so that it can be prepared and reviewed first. */
export function withNewAdapter(
  configuration: Configuration,
  name: string,
  applications: readonly string[],
  flags: readonly AdapterFlag[],
) {
  const source = Object.hasOwn(configuration.sources, name)
    ? configuration.sources[name]
    : undefined;
  if (source === undefined)
    throw usage(`There is no source "${name}". Connect it first; "lockstep sources" lists them.`);
  if (source.adapter !== undefined)
    throw usage(`The source "${name}" is an adapter. Use "lockstep adapters update ${name}".`);
  const adapter = { enabled: false, applications, ...valuesOf(flags) };
  return withSource(configuration, name, { ...source, adapter });
}

const valuesOf = (flags: readonly AdapterFlag[]): Partial<Adapter> =>
  Object.fromEntries(flags.map(({ name, value }) => [name, value]));

/** Sets members of an adapter; a group of null takes it out of its group. */
export function withAdapter(
  configuration: Configuration,
  name: string,
  changes: Partial<Adapter> & { readonly flags?: readonly AdapterFlag[] },
) {
  const { source, adapter } = existingAdapter(configuration, name);
  const { flags = [], ...members } = changes;
  const changed = { ...adapter, ...members, ...valuesOf(flags) };
  return withSource(configuration, name, { ...source, adapter: changed });
}

export function withoutGroup(configuration: Configuration, name: string) {
  const { source, adapter } = existingAdapter(configuration, name);
  const { adapterGroup: group, ...rest } = adapter;
  if (group === undefined) throw usage(`The adapter "${name}" is in no group.`);
  return withSource(configuration, name, { ...source, adapter: rest });
}

/**
 * The source stays. Its captures are switched off, because without the adapter no switch would keep them from the other
 * accounts.
 */
export function withoutAdapter(configuration: Configuration, name: string) {
  const { source, adapter } = existingAdapter(configuration, name);
  if (adapter.enabled)
    throw usage(`The adapter "${name}" is enabled. Run "lockstep adapters disable ${name}" first.`);
  const { adapter: _, capture, ...rest } = source;
  const off = capture === undefined ? {} : { capture: { ...capture, enabled: false } };
  return withSource(configuration, name, { ...rest, ...off });
}

export function withApplication(configuration: Configuration, name: string, application: string) {
  const { adapter } = existingAdapter(configuration, name);
  if (adapter.applications.includes(application))
    throw usage(`The adapter "${name}" serves the application "${application}" already.`);
  return withAdapter(configuration, name, {
    applications: [...adapter.applications, application],
  });
}

/** An application has one adapter at most, so its name is enough. */
export function withoutApplication(configuration: Configuration, application: string) {
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
) =>
  names.reduce<Configuration>(
    (edited, name) => withAdapter(edited, name, { enabled }) as Configuration,
    configuration,
  );
