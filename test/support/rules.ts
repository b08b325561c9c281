/**
 * The title of a test that verifies rules of `scripts/semantics.ts`. `npm run conformance` runs these tests, and
 * docs/semantics.md lists them.
 */
export const keeps = (title: string, rule: number, ...more: readonly number[]): string =>
  `${title} [rule ${[rule, ...more].join(', ')}]`;
