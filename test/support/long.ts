/**
 * Whether the long tests run in full, as `npm run check:long` does. In `npm test` each of them runs a part that stands for
 * the rest.
 */
export const runsInFull = process.env.LOCKSTEP_LONG_TESTS === 'yes';

/** A test that `npm test` skips because it takes minutes and nothing shorter stands for it. */
export const longTest = (title: string, body: () => Promise<void>, timeoutMs: number): void =>
  runsInFull
    ? test(title, body, timeoutMs)
    : test.skip(`${title} (skipped: runs in npm run check:long)`, body);

/** Every n-th of the cases in `npm test`, and all of them in `npm run check:long`. */
export const everyNth = <Case>(nth: number, cases: readonly Case[]): readonly Case[] =>
  cases.filter((_, at) => runsInFull || at % nth === 0);
