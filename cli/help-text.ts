import { type Exit, exitCodes } from './exit-codes';

interface Help {
  /** Pairs of a command line and a description of what it does. */
  readonly examples: readonly (readonly [string, string])[];
  /** Exits with a meaning specific to this command; done, failed and usage are always listed. */
  readonly exits?: Partial<Record<Exit, string>>;
}

/** The examples and exit codes that --help shows below the options. */
export function helpText({ examples, exits = {} }: Help): string {
  const lines = examples.map(([line, purpose]) => `  ${line}\n      ${purpose}`);
  const codes = (Object.keys(exitCodes) as Exit[])
    .filter((exit) => exit in exits || ['done', 'failed', 'usage'].includes(exit))
    .map((exit) => `  ${exitCodes[exit].code}  ${exits[exit] ?? exitCodes[exit].says}`);
  const title = examples.length === 1 ? 'Example:' : 'Examples:';
  return ['', title, ...lines, '', 'Exit codes:', ...codes].join('\n');
}
