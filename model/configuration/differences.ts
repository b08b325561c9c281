import type { Configuration } from './document';

export interface Difference {
  readonly action: 'create' | 'update' | 'delete';
  /** `sources`, `policies`, `groups`, `applications` or `notices`. */
  readonly section: string;
  readonly name: string;
  /** The paths of the fields that differ, such as `settings.url`; empty unless the action is `update`. */
  readonly fields: readonly string[];
}

const sections = ['sources', 'policies', 'groups', 'applications', 'notices'] as const;

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
      const fields = differingFields(before[entry], after[entry]);
      return fields.length === 0 ? [] : [{ action: 'update', section, name: entry, fields }];
    });
  });
}

function differingFields(before: unknown, after: unknown, at = ''): string[] {
  if (isRecord(before) && isRecord(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) =>
      differingFields(before[key], after[key], at === '' ? key : `${at}.${key}`),
    );
  }
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [at];
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
