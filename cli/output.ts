import { styleText } from 'node:util';
import { escapedControls } from './controls';

export type Style = 'green' | 'yellow' | 'red' | 'bold' | 'dim';

/** Where a command writes: results on stdout, what a person should know besides on stderr. */
export interface Output {
  /** `-o json`: one JSON document on stdout, and nothing else there. */
  readonly json: boolean;
  /** Whether somebody watches stdout. */
  readonly terminal: boolean;
  /** Columns that a line may take; without a terminal no line is cut. */
  readonly width: number;
  /** The result, once: as JSON, or as lines. */
  show(value: unknown, lines: () => readonly string[]): void;
  /** A line of the result before it is whole; not with `-o json`. */
  line(text: string): void;
  note(text: string): void;
  /** In colour where the terminal has some and NO_COLOR is not set. */
  paint(style: Style, text: string): string;
}

export function outputOf(json: boolean): Output {
  const { stdout, stderr } = process;
  const print = (text: string) => stdout.write(`${text}\n`);
  return {
    json,
    terminal: stdout.isTTY === true,
    width: stdout.isTTY ? stdout.columns : Number.POSITIVE_INFINITY,
    show(value, lines) {
      const text = json ? escapedControls(JSON.stringify(value, null, 2)) : lines().join('\n');
      if (text !== '') print(text);
    },
    line: (text) => {
      if (!json) print(text);
    },
    note: (text) => stderr.write(`${text}\n`),
    paint: (style, text) => styleText(style, text, { stream: stdout, validateStream: true }),
  };
}
