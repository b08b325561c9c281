import { styleText } from 'node:util';
import { escapedControls } from './controls';

export type Style = 'green' | 'yellow' | 'red' | 'bold' | 'dim';

/** Where a command writes: results to stdout, notes for a person to stderr. */
export interface Output {
  /** True with `-o json`: stdout then holds exactly one JSON document. */
  readonly json: boolean;
  /** Whether stdout is a terminal. */
  readonly terminal: boolean;
  /** Columns of the terminal. Infinite without a terminal, so that no line is cut. */
  readonly width: number;
  /** Prints the result, called once: as JSON with `-o json`, otherwise as lines of text. */
  show(value: unknown, lines: () => readonly string[]): void;
  /** Prints one line of the result before the rest is known; prints nothing with `-o json`. */
  line(text: string): void;
  /** Prints a note to stderr. */
  note(text: string): void;
  /** Adds a colour if the terminal supports it and NO_COLOR is not set. */
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
