/**
 * The title of a test that keeps rules of `scripts/semantics.ts`: `npm run conformance` runs those, and docs/semantics.md
 * names them.
 */
export const keeps = (title: string, rule: number, ...more: readonly number[]): string =>
  `${title} [rule ${[rule, ...more].join(', ')}]`;
