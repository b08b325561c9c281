/** A number with its noun, such as "1 link" and "2 links". */
export const counted = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? '' : 's'}`;
