import type { Adapter, Switches } from './adapter';
import { inboundSync } from './adapter';
import type { Configuration, ConfigurationIssue, SourceConfiguration } from './document';
import { applicationNamed, groupsFrom, groupsOf } from './document';
import type { Group } from './group';

/**
 * What is wrong with the adapters of a configuration, and what they can never synchronize. A rule refuses a
 * configuration that contradicts itself; it warns about one that an administrator may still be building.
 */

interface Facts {
  readonly source: string;
  readonly adapter: Adapter;
  readonly configured: SourceConfiguration;
  readonly switches: Switches;
  /** The group of the source; null when it is in none. */
  readonly group: Group | null;
}

interface AdapterRule {
  readonly field: keyof Adapter | null;
  /** Returns false, or what is wrong and what to do, as a text that continues the path of the field. */
  readonly broken: (facts: Facts) => string | false;
}

/** Warnings about an enabled adapter that cannot synchronize in a direction. The first of each field is reported. */
const warningRules: readonly AdapterRule[] = [
  {
    field: null,
    broken: ({ configured }) =>
      !configured.enabled &&
      'synchronizes nothing while the source is switched off (enabled: false)',
  },
  {
    field: null,
    broken: ({ group }) =>
      group === null && 'synchronizes nothing: the source is in no group. Add it to one',
  },
  {
    field: null,
    broken: ({ adapter }) =>
      !adapter.syncToAdapter &&
      !adapter.syncFromAdapter &&
      'synchronizes nothing: set syncToAdapter, syncFromAdapter or both',
  },
  {
    field: 'applications',
    broken: ({ adapter }) =>
      adapter.applications.length === 0 &&
      'is empty, so the adapter synchronizes nothing: add an application of this source',
  },
  {
    field: 'syncToAdapter',
    broken: ({ adapter, switches }) =>
      adapter.syncToAdapter &&
      !switches.windowsToAdapters &&
      'has no effect while sso.switches.windowsToAdapters is off',
  },
  {
    field: 'sendOldPassword',
    broken: ({ adapter }) =>
      adapter.sendOldPassword && !adapter.syncToAdapter && 'has no effect without syncToAdapter',
  },
  {
    field: 'syncFromAdapter',
    broken: ({ adapter, switches }) =>
      adapter.syncFromAdapter &&
      inboundSync(adapter, switches) === null &&
      'has no effect: switch on sso.switches.adaptersToStore, or changeWindowsPassword and sso.switches.adaptersToWindows',
  },
  {
    field: 'syncFromAdapter',
    broken: ({ adapter, configured }) =>
      adapter.syncFromAdapter &&
      configured.capture?.enabled !== true &&
      'has no effect while capture.enabled of the source is false',
  },
  {
    field: 'changeWindowsPassword',
    broken: ({ adapter }) =>
      adapter.changeWindowsPassword &&
      !adapter.syncFromAdapter &&
      'has no effect without syncFromAdapter',
  },
  {
    field: 'changeWindowsPassword',
    broken: ({ adapter, switches }) =>
      adapter.changeWindowsPassword &&
      !switches.adaptersToWindows &&
      'has no effect while sso.switches.adaptersToWindows is off',
  },
  {
    field: 'changeWindowsPassword',
    broken: ({ adapter, switches, group }) =>
      inboundSync(adapter, switches) === 'full' &&
      group !== null &&
      group.failureMode !== 'directory-last' &&
      `changes the directory before the other accounts, because the group "${group.name}" is not directory-last`,
  },
];

type Checked = Pick<Configuration, 'sources' | 'groups' | 'applications' | 'sso'>;

/**
 * Warnings about the enabled adapters of a valid configuration, as sentences for `lockstep plan`.
 * @param only the source of the only adapter to report; null for all
 */
export const adapterWarnings = (configuration: Checked, only: string | null = null): string[] =>
  adaptersIn(configuration)
    .filter(({ adapter, source }) => adapter.enabled && (only === null || source === only))
    .flatMap((facts) => {
      const broken = new Map<AdapterRule['field'], string>();
      for (const rule of warningRules) {
        const says = !broken.has(rule.field) && rule.broken(facts);
        if (says !== false) broken.set(rule.field, says);
      }
      return [
        ...[...broken].map(([field, says]) => `${pathOf(facts, field)} ${says}.`),
        ...disabledApplications(configuration, facts),
      ];
    });

const pathOf = ({ source }: Facts, field: AdapterRule['field']): string =>
  ['sources', source, 'adapter', ...(field === null ? [] : [field])].join('.');

function disabledApplications({ applications }: Checked, { source, adapter }: Facts): string[] {
  const names = adapter.applications;
  if (names.length === 0 || names.some((name) => applications[name]?.enabled === true)) return [];
  return [
    `sources.${source}.adapter.applications lists only disabled applications, so the adapter synchronizes nothing.`,
  ];
}

/** The issues for which a configuration is refused. */
export const adapterIssues = (configuration: Checked): ConfigurationIssue[] => [
  ...adaptersIn(configuration).flatMap(({ source, adapter }) => {
    const at = ['sources', source, 'adapter'];
    return [
      ...directoryIssues(configuration, source, at),
      ...adapter.applications.flatMap((_name, index) => {
        const says = applicationSays(configuration, source, adapter.applications, index);
        return says === null ? [] : [{ path: [...at, 'applications', index], says }];
      }),
    ];
  }),
  ...directIssues(configuration),
];

/** Direct synchronization bypasses the source of the application, so nothing else may write that source. */
const directIssues = (configuration: Checked): ConfigurationIssue[] =>
  Object.entries(configuration.applications).flatMap(([name, { source, directFrom }]) => {
    if (directFrom === undefined) return [];
    const follows = groupsOf(configuration).filter(({ authSource }) => authSource === directFrom);
    const says =
      follows.length === 0
        ? `names "${directFrom}", which is the auth source of no group`
        : configuration.sources[source]?.adapter?.applications.includes(name)
          ? `contradicts the adapter of "${source}", which serves the application; remove one of them`
          : source === directFrom || follows.some(({ sources }) => sources.includes(source))
            ? `is not needed: changes of "${directFrom}" are written to "${source}", and the credential follows; remove it`
            : null;
    return says === null ? [] : [{ path: ['applications', name, 'directFrom'], says }];
  });

/** A directory is the other side of every adapter. */
const directoryIssues = (
  configuration: Checked,
  source: string,
  path: string[],
): ConfigurationIssue[] =>
  groupsOf(configuration)
    .filter(({ authSource }) => authSource === source)
    .slice(0, 1)
    .map(({ name }) => ({
      path,
      says: `is not possible: the source is the auth source of the group "${name}", which is the directory for its adapters; remove adapter`,
    }));

/** @returns null when the application of this position can be served by the adapter */
function applicationSays(
  { applications }: Checked,
  source: string,
  names: readonly string[],
  index: number,
): string | null {
  const name = names[index] ?? '';
  const application = applicationNamed({ applications }, name);
  if (application === undefined)
    return `there is no application "${name}"; remove it from the adapter, or add it to applications`;
  if (application.source !== source)
    return `the application "${name}" is of the source "${application.source}"; an adapter serves the applications of its own source`;
  return names.indexOf(name) < index ? `the application "${name}" is named twice` : null;
}

const adaptersIn = (configuration: Checked): Facts[] =>
  Object.entries(configuration.sources).flatMap(([source, configured]) =>
    configured.adapter === undefined
      ? []
      : [
          {
            source,
            adapter: configured.adapter,
            configured,
            switches: configuration.sso.switches,
            group: groupsFrom(configuration, source)[0] ?? null,
          },
        ],
  );
