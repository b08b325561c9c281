import { type Exit, exitCodes } from './exit-codes';

interface Lesson {
  /** Command lines, each with what it does. */
  readonly examples: readonly (readonly [string, string])[];
  /** Besides done, failed and usage: with what they mean here. */
  readonly exits?: Partial<Record<Exit, string>>;
}

/** What --help adds below the options. */
export function helpText({ examples, exits = {} }: Lesson): string {
  const shown = examples.map(([line, says]) => `  ${line}\n      ${says}`);
  const codes = (Object.keys(exitCodes) as Exit[])
    .filter((exit) => exit in exits || ['done', 'failed', 'usage'].includes(exit))
    .map((exit) => `  ${exitCodes[exit].code}  ${exits[exit] ?? exitCodes[exit].says}`);
  const title = examples.length === 1 ? 'Example:' : 'Examples:';
  return ['', title, ...shown, '', 'Exit codes:', ...codes].join('\n');
}
