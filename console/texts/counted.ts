/** The word that fits a number: the first for one, the second for every other. */
export const counted = (count: number | string, one: string, many: string): string =>
  Number(count) === 1 ? one : many;
