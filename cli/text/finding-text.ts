import type { Finding } from '../../model/api/job-results';
import type { Output, Style } from '../output';
import { pad, widthOf, wrap } from './text-width';

const marks: Readonly<Record<Finding['verdict'], readonly [string, Style]>> = {
  ok: ['✔', 'green'],
  warning: ['!', 'yellow'],
  wrong: ['✖', 'red'],
  skipped: ['-', 'dim'],
};

/** The findings of the doctor about one subject, the API or a source, below its name. */
export function findingLines(
  { paint, width }: Output,
  subject: string,
  findings: readonly Finding[],
): string[] {
  const names = Math.max(0, ...findings.map(({ check }) => widthOf(check)));
  const indent = ' '.repeat(names + 6);
  return [
    paint('bold', subject),
    ...findings.flatMap(({ check, verdict, says }) => {
      const [mark, style] = marks[verdict];
      const [first = '', ...rest] = wrap(says, width - indent.length);
      return [
        `  ${paint(style, mark)} ${pad(check, names)}  ${first}`,
        ...rest.map((line) => indent + line),
      ];
    }),
  ];
}
