import type { z } from 'zod';
import { type ConfigurationIssue, secretReference } from './document';
import { everyIssue } from './every-issue';

/** The settings of a kind: of a source, or of a channel for notices. */
export interface CheckedSettings {
  readonly settings: z.ZodType;
  readonly secretSettings: readonly string[];
}

/** The issues of settings: secrets that are no references, and what the schema of their kind refuses. */
export function fieldIssues(
  at: readonly (string | number)[],
  settings: Readonly<Record<string, unknown>>,
  kind: CheckedSettings,
): ConfigurationIssue[] {
  const bare = kind.secretSettings.filter(
    (field) => settings[field] !== undefined && !secretReference.test(String(settings[field])),
  );
  const secrets = bare.map((field) => ({
    path: [...at, field],
    says: 'holds a secret; write a reference to it instead: ${file:NAME} or ${env:NAME}',
  }));
  const { issues } = everyIssue(kind.settings, settings, 1);
  const others = issues.filter(({ path }) => !bare.includes(String(path[0])));
  return [...secrets, ...zodIssues(others, at)];
}

/** The issues that a schema found, each with the path to its field. */
export function zodIssues(
  issues: readonly z.core.$ZodIssue[],
  at: readonly (string | number)[] = [],
): ConfigurationIssue[] {
  return issues.flatMap((issue) => {
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
