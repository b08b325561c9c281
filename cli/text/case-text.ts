import type { CaseResult } from '../../model/trial';
import { escapedControls } from '../controls';
import type { Output, Style } from '../output';
import { wrap } from './text-width';

const marks: Readonly<Record<CaseResult['verdict'], readonly [string, Style]>> = {
  ok: ['✔', 'green'],
  wrong: ['✖', 'red'],
  skipped: ['-', 'dim'],
};

const INDENT = '      ';

/** One promise of a connector: a line when it is kept, and what to do below it when it is not. */
export function caseLines(
  { paint, width }: Output,
  { title, verdict, says }: CaseResult,
): string[] {
  const [mark, style] = marks[verdict];
  const shown = escapedControls(title);
  if (verdict === 'skipped') return [`  ${paint(style, mark)} ${shown}: not tried, ${says}`];
  const lines = says === null ? [] : wrap(says, width - INDENT.length);
  return [`  ${paint(style, mark)} ${shown}`, ...lines.map((line) => INDENT + line)];
}
