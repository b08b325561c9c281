import type { z } from 'zod';
import type { Form } from '../hashes/encoding';
import {
  type Configuration,
  type ConfigurationIssue,
  configurationSchema,
  declaredGroupsOf,
  groupsOf,
  secretReference,
} from './document';
import { groupRules } from './group';
import { type AbilitiesOf, formIssues } from './hash-paths';

/** The part of a connector kind that the check uses. */
export interface CheckedKind {
  readonly settings: z.ZodType;
  readonly secretSettings: readonly string[];
  readonly traits: FormTraits;
  /** The traits with these settings, which must be valid. */
  readonly traitsOf: (settings: unknown) => FormTraits;
}

interface FormTraits {
  readonly accepts: readonly Form[];
  readonly yields: readonly ('plaintext' | 'hash')[];
}

export type CheckedConfiguration =
  | { readonly valid: true; readonly configuration: Configuration }
  | { readonly valid: false; readonly issues: readonly ConfigurationIssue[] };

/**
 * Checks a configuration document: its shape, the settings of each connector, and the references between its parts.
 * @returns every issue at once, so that an operator corrects the document in one go
 */
export function checkConfiguration(
  document: unknown,
  kinds: ReadonlyMap<string, CheckedKind>,
): CheckedConfiguration {
  const parsed = configurationSchema.safeParse(document);
  if (!parsed.success) return { valid: false, issues: zodIssues(parsed.error) };
  const configuration = parsed.data;
  const issues = [
    ...Object.entries(configuration.sources).flatMap(([source, { kind, settings }]) =>
      settingsIssues(['sources', source], kind, settings, kinds),
    ),
    ...groupIssues(configuration),
    ...lonePolicyIssues(configuration),
    ...formIssues(configuration, abilitiesIn(configuration, kinds)),
    ...scimIssues(configuration),
    ...Object.entries(configuration.applications).flatMap(([application, { source }]) =>
      unknownName(['applications', application, 'source'], source, 'source', configuration.sources),
    ),
  ];
  return issues.length === 0 ? { valid: true, configuration } : { valid: false, issues };
}

const abilitiesIn =
  ({ sources }: Configuration, kinds: ReadonlyMap<string, CheckedKind>): AbilitiesOf =>
  (source) => {
    const configured = Object.hasOwn(sources, source) ? sources[source] : undefined;
    const kind = kinds.get(configured?.kind ?? '');
    if (kind?.settings.safeParse(configured?.settings).success !== true) return null;
    const { accepts, yields } = kind.traitsOf(configured?.settings);
    return { accepts, couldAccept: kind.traits.accepts, yields };
  };

function settingsIssues(
  at: string[],
  kindName: string,
  settings: Readonly<Record<string, unknown>>,
  kinds: ReadonlyMap<string, CheckedKind>,
): ConfigurationIssue[] {
  const kind = kinds.get(kindName);
  if (kind === undefined) {
    const known = [...kinds.keys()].join(', ');
    return [
      { path: [...at, 'kind'], says: `there is no connector "${kindName}"; there are: ${known}` },
    ];
  }
  const bare = kind.secretSettings.filter(
    (field) => settings[field] !== undefined && !secretReference.test(String(settings[field])),
  );
  if (bare.length > 0)
    return bare.map((field) => ({
      path: [...at, 'settings', field],
      says: 'holds a secret; write a reference to it instead: ${file:/path/to/it} or ${env:NAME}',
    }));
  const parsed = kind.settings.safeParse(settings);
  return parsed.success ? [] : zodIssues(parsed.error, [...at, 'settings']);
}

function groupIssues({ groups, sources, policies }: Configuration): ConfigurationIssue[] {
  const all = declaredGroupsOf({ groups });
  return all.flatMap((group) => {
    const at = ['groups', group.name];
    const rules = groupRules.flatMap(({ broken }) => {
      const says = broken(group, all);
      return says === false ? [] : [{ path: [...at, 'sources'], says }];
    });
    return [
      ...rules,
      ...unknownName([...at, 'policy'], group.policy, 'policy', policies),
      ...unknownName([...at, 'authSource'], group.authSource, 'source', sources),
      ...group.sources.flatMap((source, index) =>
        unknownName([...at, 'sources', index], source, 'source', sources),
      ),
    ];
  });
}

function lonePolicyIssues({ groups, sources, policies }: Configuration): ConfigurationIssue[] {
  return Object.entries(sources).flatMap(([source, { policy }]) => {
    if (policy === undefined) return [];
    const path = ['sources', source, 'policy'];
    const group = declaredGroupsOf({ groups }).find((one) => one.sources.includes(source));
    return group === undefined
      ? unknownName(path, policy, 'policy', policies)
      : [
          {
            path,
            says: `is not needed: the source is in the group "${group.name}", whose policy applies to every password of it; remove this field`,
          },
        ];
  });
}

/** SCIM has no attribute for the current password, so a source that is not an auth source cannot ask for it. */
function scimIssues(configuration: Configuration): ConfigurationIssue[] {
  const auth = new Set(groupsOf(configuration).map(({ authSource }) => authSource));
  return Object.entries(configuration.sources).flatMap(([source, { capture }]) =>
    capture?.scim === undefined || !capture.verifyCurrent || auth.has(source)
      ? []
      : [
          {
            path: ['sources', source, 'capture', 'verifyCurrent'],
            says: 'must be false: SCIM cannot send the current password. Note that every holder of the API key of the provider can then set passwords of the whole group',
          },
        ],
  );
}

function unknownName(
  path: (string | number)[],
  wanted: string,
  what: string,
  known: Readonly<Record<string, unknown>>,
): ConfigurationIssue[] {
  if (Object.hasOwn(known, wanted)) return [];
  const names = Object.keys(known).join(', ') || 'none yet';
  return [{ path, says: `there is no ${what} "${wanted}"; there are: ${names}` }];
}

function zodIssues(error: z.ZodError, at: string[] = []): ConfigurationIssue[] {
  return error.issues.flatMap((issue) => {
    const path = [
      ...at,
      ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step)),
    ];
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({
        path: [...path, key],
        says: 'is not a known field; check its spelling, or remove it',
      }));
    // For an invalid key, zod keeps the reason in a nested issue.
    const why = issue.code === 'invalid_key' ? issue.issues[0]?.message : undefined;
    return [{ path, says: why ?? issue.message }];
  });
}
