import { fieldLines, signs } from '../configuration/preview';
import type { ConfigurationDifferences } from '../http/answers';
import type { Output } from '../output';

/** The text of `lockstep configuration diff`: each entry with its fields, and their values before and after. */
export function differenceLines(
  output: Output,
  { from, to, differences }: ConfigurationDifferences,
): string[] {
  if (differences.length === 0) return [`Configurations ${from} and ${to} are equal.`];
  return differences.flatMap(({ action, section, name, fields }) => {
    const [sign, style] = signs[action];
    return [output.paint(style, `${sign} ${section}.${name}`), ...fieldLines(output, fields)];
  });
}
