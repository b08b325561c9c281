const of = (kind: RegExp) => (point: number) => kind.test(String.fromCodePoint(point));

export const isLetter = of(/\p{L}/u);
export const isUpper = of(/\p{Lu}/u);
export const isLower = of(/\p{Ll}/u);
export const isDigit = of(/\p{Nd}/u);
export const isSpecial = of(/[^\p{L}\p{Nd}]/u);

/**
 * The five kinds of characters of the complexity rule of Active Directory (MS-SAMR §3.1.1.7.1). Every character is of
 * exactly one kind.
 */
export const characterTypes: readonly ((point: number) => boolean)[] = [
  isUpper,
  isLower,
  of(/[\p{Lt}\p{Lm}\p{Lo}]/u),
  isDigit,
  isSpecial,
];

export interface CharacterSet {
  has(point: number): boolean;
}

/**
 * Parses a set of characters such as `A-Z0-9_.-`: single characters and ranges; a hyphen at either end stands for
 * itself.
 * @returns null when a range runs backwards
 */
export function characterSet(text: string): CharacterSet | null {
  const points = [...text].map((character) => character.codePointAt(0) ?? 0);
  const ranges: (readonly [from: number, to: number])[] = [];
  for (let at = 0; at < points.length; at++) {
    const from = points[at] ?? 0;
    const to = points[at + 1] === HYPHEN ? points[at + 2] : undefined;
    ranges.push([from, to ?? from]);
    if (to !== undefined) at += 2;
  }
  if (ranges.some(([from, to]) => from > to)) return null;
  return { has: (point) => ranges.some(([from, to]) => from <= point && point <= to) };
}

const HYPHEN = 0x2d;
