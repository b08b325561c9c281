import type { Report } from './debian';

/** A place where a program may be found or fetched from. */
export type Source<Program> = (report: Report) => Promise<readonly Program[]>;

/** No program can do what is wanted. The message has a line for each one that was passed over. */
export class NoneCapable extends Error {
  readonly reasons: readonly string[];
  constructor(reasons: readonly string[]) {
    super(reasons.join('\n'));
    this.reasons = reasons;
  }
}

/**
 * The first program that has everything which is wanted of it. The next source is asked only when none of the earlier
 * ones has such a program, and the report says why: an installed server that lacks something is not used silently
 * without it.
 * @param flawOf what the program lacks, as a phrase such as "lacks the module argon2"; null for nothing
 * @throws NoneCapable
 */
export async function firstCapable<Program>(
  sources: readonly Source<Program>[],
  nameOf: (program: Program) => string,
  flawOf: (program: Program) => Promise<string | null>,
  report: Report,
): Promise<Program> {
  const passedOver: string[] = [];
  for (const source of sources)
    try {
      for (const program of await source(report)) {
        const flaw = await flawOf(program);
        if (flaw === null) {
          for (const line of passedOver) report(`not used: ${line}`);
          return program;
        }
        passedOver.push(`${nameOf(program)} ${flaw}`);
      }
    } catch (error) {
      passedOver.push((error as Error).message);
    }
  throw new NoneCapable(passedOver);
}
