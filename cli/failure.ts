import type { Exit } from './exit-codes';

interface Details {
  readonly exit?: Exit;
  /** Details shown below the message, one per line. */
  readonly lines?: readonly string[];
  /** The document that `-o json` prints instead of the message. */
  readonly json?: unknown;
}

/**
 * An error that ends a command. Its message is shown to the operator as it is: it states what happened and what to do
 * next.
 */
export class Failure extends Error {
  readonly exit: Exit;
  readonly lines: readonly string[];
  readonly json: unknown;

  constructor(message: string, { exit = 'failed', lines = [], json }: Details = {}) {
    super(message);
    this.exit = exit;
    this.lines = lines;
    this.json = json ?? { error: { detail: message } };
  }
}

/** A failure with exit code 2: the command line or a file that it names is not valid. */
export const usage = (message: string): Failure => new Failure(message, { exit: 'usage' });
