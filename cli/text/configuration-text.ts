import { signs } from '../configuration/preview';
import type { ConfigurationDifferences } from '../http/answers';
import type { Output } from '../output';

/** The text of `lockstep configuration diff`: each entry with its fields, and their values before and after. */
export function differenceLines(
  { paint }: Output,
  { from, to, differences }: ConfigurationDifferences,
): string[] {
  if (differences.length === 0) return [`Configurations ${from} and ${to} are equal.`];
  return differences.flatMap(({ action, section, name, fields }) => {
    const [sign, style] = signs[action];
    return [
      paint(style, `${sign} ${section}.${name}`),
      ...fields.flatMap((field) => [
        ...(field.from === null ? [] : [paint('red', `    - ${lineOf(field.path, field.from)}`)]),
        ...(field.to === null ? [] : [paint('green', `    + ${lineOf(field.path, field.to)}`)]),
      ]),
    ];
  });
}

const lineOf = (path: string, value: unknown): string =>
  `${path}: ${typeof value === 'string' ? value : JSON.stringify(value)}`;
