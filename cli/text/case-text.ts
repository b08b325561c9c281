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

/** One tested promise of a connector: one line if it is kept; if it is broken, also what to do about it. */
export function caseLines(
  { paint, width }: Output,
  { title, verdict, says }: CaseResult,
): string[] {
  const [mark, style] = marks[verdict];
  const shown = escapedControls(title);
  if (verdict === 'skipped') return [`  ${paint(style, mark)} ${shown}: not tested, ${says}`];
  const lines = says === null ? [] : wrap(says, width - INDENT.length);
  return [`  ${paint(style, mark)} ${shown}`, ...lines.map((line) => INDENT + line)];
}
