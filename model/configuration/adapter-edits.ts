import { type Adapter, adapterSchema } from './adapter';
import type { Configuration, SourceConfiguration } from './document';

/** Edits of the adapters in a configuration. They check nothing: a plan reports what does not fit. */

/** The flags of an adapter apart from `enabled`. */
export const adapterFlags = [
  'syncToAdapter',
  'sendOldPassword',
  'syncFromAdapter',
  'verifyOldPassword',
  'changeWindowsPassword',
  'allowMappingConflicts',
] as const satisfies readonly (keyof Adapter)[];

export type AdapterFlagName = (typeof adapterFlags)[number];

export interface NamedAdapter {
  readonly name: string;
  readonly source: SourceConfiguration;
  readonly adapter: Adapter;
}

export const adaptersIn = ({ sources }: Pick<Configuration, 'sources'>): NamedAdapter[] =>
  Object.entries(sources).flatMap(([name, source]) =>
    source.adapter === undefined ? [] : [{ name, source, adapter: source.adapter }],
  );

export const adapterNamed = (
  configuration: Pick<Configuration, 'sources'>,
  name: string,
): NamedAdapter | undefined => adaptersIn(configuration).find((one) => one.name === name);

const withSource = (
  configuration: Configuration,
  name: string,
  source: SourceConfiguration,
): Configuration => ({
  ...configuration,
  sources: { ...configuration.sources, [name]: source },
});

/** A new adapter is disabled, so that it can be prepared and reviewed first. */
export const withNewAdapter = (
  configuration: Configuration,
  name: string,
  source: SourceConfiguration,
  members: Partial<Adapter>,
): Configuration =>
  withSource(configuration, name, {
    ...source,
    adapter: adapterSchema.parse({ ...members, enabled: false }),
  });

/** Sets members of an adapter. A group of null takes it out of its group. */
export function withMembers(
  configuration: Configuration,
  { name, source, adapter }: NamedAdapter,
  {
    adapterGroup = adapter.adapterGroup ?? null,
    ...members
  }: Omit<Partial<Adapter>, 'adapterGroup'> & { readonly adapterGroup?: string | null },
): Configuration {
  const { adapterGroup: _, ...rest } = adapter;
  const group = adapterGroup === null ? {} : { adapterGroup };
  return withSource(configuration, name, { ...source, adapter: { ...rest, ...members, ...group } });
}

/** Enables or disables several adapters at once. */
export const withEnabled = (
  configuration: Configuration,
  adapters: readonly NamedAdapter[],
  enabled: boolean,
): Configuration =>
  adapters.reduce((edited, adapter) => withMembers(edited, adapter, { enabled }), configuration);

/** Sets settings of the source, which are the properties of an adapter that pulls. Undefined removes one. */
export const withProperties = (
  configuration: Configuration,
  { name, source }: NamedAdapter,
  properties: Readonly<Record<string, unknown>>,
): Configuration => {
  const settings = Object.entries({ ...source.settings, ...properties });
  const set = Object.fromEntries(settings.filter(([, value]) => value !== undefined));
  return withSource(configuration, name, { ...source, settings: set });
};

/**
 * The source stays. Its captures are switched off, because without the adapter no switch would keep them from the other
 * accounts.
 */
export function withoutAdapter(
  configuration: Configuration,
  { name, source }: NamedAdapter,
): Configuration {
  const { adapter: _, capture, ...rest } = source;
  const off = capture === undefined ? {} : { capture: { ...capture, enabled: false } };
  return withSource(configuration, name, { ...rest, ...off });
}
