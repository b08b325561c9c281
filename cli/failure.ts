import type { Exit } from './exit-codes';

interface Details {
  readonly exit?: Exit;
  /** Shown below the sentence, one a line. */
  readonly lines?: readonly string[];
  /** What `-o json` prints in place of the sentence. */
  readonly json?: unknown;
}

/** A command cannot go on. Its message is written for the person who reads it, and says what to do. */
export class Failure extends Error {
  readonly exit: Exit;
  readonly lines: readonly string[];
  readonly json: unknown;

  constructor(says: string, { exit = 'failed', lines = [], json }: Details = {}) {
    super(says);
    this.exit = exit;
    this.lines = lines;
    this.json = json ?? { error: { detail: says } };
  }
}

export const usage = (says: string): Failure => new Failure(says, { exit: 'usage' });
