import type { Configuration } from './document';

export interface Difference {
  readonly action: 'create' | 'update' | 'delete';
  /** A section of the document, such as `sources` or `applications`. */
  readonly section: string;
  readonly name: string;
  /** The paths of the fields that differ, such as `settings.url`; empty unless the action is `update`. */
  readonly fields: readonly string[];
}

const sections = [
  'sources',
  'policies',
  'groups',
  'applications',
  'peopleGroups',
  'sso',
  'notices',
] as const;

/** The differences between two configurations: what `lockstep apply` would create, update and delete. */
export function differences(from: Configuration, to: Configuration): Difference[] {
  return sections.flatMap((section) => {
    const before: Readonly<Record<string, unknown>> = from[section];
    const after: Readonly<Record<string, unknown>> = to[section];
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return names.flatMap((entry): Difference[] => {
      if (!Object.hasOwn(before, entry))
        return [{ action: 'create', section, name: entry, fields: [] }];
      if (!Object.hasOwn(after, entry))
        return [{ action: 'delete', section, name: entry, fields: [] }];
      const fields = differingFields(before[entry], after[entry]).map(({ path }) => path);
      return fields.length === 0 ? [] : [{ action: 'update', section, name: entry, fields }];
    });
  });
}

/** One field of two versions. A field that one of them does not have is null there. */
export interface FieldDifference {
  readonly path: string;
  readonly from: unknown;
  readonly to: unknown;
}

/** The differences between two configurations with the values of all fields. */
export function valueDifferences(from: Configuration, to: Configuration) {
  return differences(from, to).map(({ action, section, name }) => {
    const [before, after] = [from, to].map((one): unknown => entriesOf(one, section)[name] ?? {});
    return { action, section, name, fields: differingFields(before, after) };
  });
}

const entriesOf = (
  configuration: Configuration,
  section: string,
): Readonly<Record<string, unknown>> => configuration[section as (typeof sections)[number]] ?? {};

function differingFields(before: unknown, after: unknown, at = ''): FieldDifference[] {
  if (isRecord(before) && isRecord(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) =>
      differingFields(before[key], after[key], at === '' ? key : `${at}.${key}`),
    );
  }
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (before === undefined && isRecord(after)) return differingFields({}, after, at);
  if (after === undefined && isRecord(before)) return differingFields(before, {}, at);
  return [{ path: at, from: before ?? null, to: after ?? null }];
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
