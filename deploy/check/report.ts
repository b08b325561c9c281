/** What a check found: lines that describe what holds. It throws when something does not. */
export type Found = readonly string[];

/** Thrown by a check that this machine cannot run. */
export class Skipped extends Error {
  override readonly name = 'Skipped';
}

export interface Context {
  /** Root of the clone, which is built. */
  readonly clone: string;
  /** Folder for the results, such as the package. */
  readonly outDir: string;
  /** Folder for everything else, removed at the end. Every user can enter it. */
  readonly workDir: string;
  report(line: string): void;
}

export interface Check {
  /** The word that selects it on the command line. */
  readonly name: string;
  readonly title: string;
  run(context: Context): Promise<Found>;
}

/** @throws Error with this message when the condition does not hold */
export function must(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}
