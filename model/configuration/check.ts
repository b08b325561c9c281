import type { z } from 'zod';
import type { Form } from '../hashes/encoding';
import { adapterIssues } from './adapter-issues';
import { applicationIssues } from './application-issues';
import { type CaptureTraits, type CaptureTraitsOf, captureIssues } from './capture-effect';
import {
  type Configuration,
  type ConfigurationIssue,
  configurationSchema,
  declaredGroupsOf,
} from './document';
import { everyIssue } from './every-issue';
import { fieldIssues, zodIssues } from './field-issues';
import { groupRules } from './group';
import { type AbilitiesOf, formIssues } from './hash-paths';
import { isolationIssues } from './isolation';
import { NOT_A_NAME } from './names';
import { type CheckedChannelKind, noticeIssues } from './notice-channels';

/** The part of a connector kind that the check uses. */
export interface CheckedKind {
  readonly settings: z.ZodType;
  readonly secretSettings: readonly string[];
  readonly traits: CheckedTraits;
  /** The traits with these settings, which must be valid. */
  readonly traitsOf: (settings: unknown) => CheckedTraits;
}

interface CheckedTraits extends CaptureTraits {
  readonly accepts: readonly Form[];
  readonly yields: readonly ('plaintext' | 'hash')[];
}

export type CheckedConfiguration =
  | { readonly valid: true; readonly configuration: Configuration }
  | {
      readonly valid: false;
      readonly issues: readonly ConfigurationIssue[];
      /** The parts that are valid, for further checks; null when too little is. */
      readonly readable: Configuration | null;
    };

/**
 * Checks a configuration document: its shape, the settings of each connector, and the references between its parts.
 * @returns every issue at once, so that an operator corrects the document in one go
 */
export function checkConfiguration(
  document: unknown,
  kinds: ReadonlyMap<string, CheckedKind>,
  channelKinds: ReadonlyMap<string, CheckedChannelKind> = new Map(),
): CheckedConfiguration {
  const { issues: ofShape, valid: configuration } = inspect(document);
  if (configuration === null) return { valid: false, issues: ofShape, readable: null };
  const names = namesIn(document);
  const issues = [
    ...ofShape,
    ...Object.entries(configuration.sources).flatMap(([source, { kind, settings }]) =>
      settingsIssues(['sources', source], kind, settings, kinds),
    ),
    ...noticeIssues(configuration, channelKinds),
    ...groupIssues(configuration, names),
    ...lonePolicyIssues(configuration, names),
    ...formIssues(configuration, abilitiesIn(configuration, kinds)),
    ...captureIssues(configuration, captureTraitsIn(configuration, kinds)),
    ...applicationIssues(configuration, names.peopleGroups),
    ...adapterIssues(configuration),
    ...isolationIssues(configuration),
    ...Object.entries(configuration.applications).flatMap(([application, { source }]) =>
      unknownName(['applications', application, 'source'], source, 'source', names.sources),
    ),
  ];
  return issues.length === 0
    ? { valid: true, configuration }
    : { valid: false, issues, readable: configuration };
}

/** Checks the shape of a document. The relations of the valid parts are checked also when other parts are wrong. */
function inspect(document: unknown): {
  readonly issues: ConfigurationIssue[];
  readonly valid: Configuration | null;
} {
  const ofVersion = isRecord(document)
    ? (configurationSchema.safeParse(document).error?.issues ?? []).filter(
        ({ path }) => path[0] === 'version',
      )
    : [];
  const rest = isRecord(document) ? { ...document, version: 1 } : document;
  const { issues, valid } = everyIssue(configurationSchema, rest, ENTRY_FIELD_DEPTH);
  return { issues: [...inheritedNames(document), ...zodIssues([...ofVersion, ...issues])], valid };
}

/** The length of the path of a field in an entry, such as `sources.hr.kind`. */
const ENTRY_FIELD_DEPTH = 3;

/** `__proto__` as a name would disappear silently: a schema cannot see it. */
const inheritedNames = (value: unknown, path: (string | number)[] = []): ConfigurationIssue[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([key, inner]) => [
        ...(key === '__proto__' ? [{ path: [...path, key], says: NOT_A_NAME }] : []),
        ...inheritedNames(inner, [...path, key]),
      ]);

type Names = Readonly<Record<'sources' | 'policies' | 'peopleGroups', readonly string[]>>;

/** All names, also of entries that are not valid, so that a reference to such an entry is not reported. */
function namesIn(document: unknown): Names {
  const keysOf = (section: string) => {
    const value = isRecord(document) ? document[section] : undefined;
    return isRecord(value) ? Object.keys(value) : [];
  };
  return {
    sources: keysOf('sources'),
    policies: keysOf('policies'),
    peopleGroups: keysOf('peopleGroups'),
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

type Kinds = ReadonlyMap<string, CheckedKind>;

const abilitiesIn =
  (configuration: Configuration, kinds: Kinds): AbilitiesOf =>
  (source) => {
    const known = traitsIn(configuration, kinds, source);
    if (known === null) return null;
    const { accepts, yields } = known.traits;
    return { accepts, couldAccept: known.kind.traits.accepts, yields };
  };

export const captureTraitsIn =
  (configuration: Configuration, kinds: Kinds): CaptureTraitsOf =>
  (source) =>
    traitsIn(configuration, kinds, source)?.traits ?? null;

/** The kind of a source and its traits with the settings of the source; null when these are not valid. */
function traitsIn({ sources }: Configuration, kinds: Kinds, source: string) {
  const configured = Object.hasOwn(sources, source) ? sources[source] : undefined;
  const kind = kinds.get(configured?.kind ?? '');
  if (kind?.settings.safeParse(configured?.settings).success !== true) return null;
  return { kind, traits: kind.traitsOf(configured?.settings) };
}

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
  return fieldIssues([...at, 'settings'], settings, kind);
}

function groupIssues(
  { groups }: Configuration,
  { sources, policies }: Names,
): ConfigurationIssue[] {
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

function lonePolicyIssues(
  { groups, sources }: Configuration,
  { policies }: Names,
): ConfigurationIssue[] {
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

function unknownName(
  path: (string | number)[],
  wanted: string,
  what: string,
  known: readonly string[],
): ConfigurationIssue[] {
  if (known.includes(wanted)) return [];
  const names = known.join(', ') || 'none yet';
  return [{ path, says: `there is no ${what} "${wanted}"; there are: ${names}` }];
}
