import { characterSet, isDigit, isLower, isUpper } from './characters';
import { imagesOf, type PasswordFilter, PRINTABLE } from './password-filter';
import type { PolicyRules } from './presets';

/** What somebody asks of a password, after a filter of theirs has rewritten it. */
export interface Demand
  extends Pick<
    PolicyRules,
    | 'minLength'
    | 'minAlpha'
    | 'minNonAlpha'
    | 'minUpper'
    | 'minLower'
    | 'minNumeric'
    | 'minSpecial'
    | 'minCharacterTypes'
    | 'maxRepeatedChars'
    | 'allowed'
    | 'notAllowed'
  > {
  readonly name: string;
  readonly filter: PasswordFilter | null;
  /** Null sets no limit. */
  readonly maxLength: number | null;
}

const kinds = ['upper', 'lower', 'digit', 'special'] as const;
export type Kind = (typeof kinds)[number];
type Counts = Readonly<Record<Kind, number>>;

/** Passwords of printable ASCII that all have these in common. */
export interface PasswordClass {
  readonly minLength: number;
  readonly maxLength: number;
  /** How many of each kind at least; where a filter cuts, among the characters before the cut; the whole comes last. */
  readonly parts: readonly Part[];
  readonly characters: readonly number[];
  /** 0 sets no limit. */
  readonly maxRepeatedChars: number;
}

interface Part {
  /** Of so many first characters. */
  readonly within: number;
  readonly counts: Counts;
}

const kindOf = (point: number): Kind =>
  isUpper(point) ? 'upper' : isLower(point) ? 'lower' : isDigit(point) ? 'digit' : 'special';

/** Longer ones are of no use to anybody. */
const LONGEST = 1024;

/** Passwords that satisfy every demand; null when there are none of printable ASCII. */
export function passwordClass(demands: readonly Demand[]): PasswordClass | null {
  const characters = PRINTABLE.filter((point) => demands.every((demand) => lets(demand, point)));
  const minLength = Math.max(1, ...demands.map((demand) => demand.minLength));
  const maxLength = Math.min(LONGEST, ...demands.map(limitOf));
  const cuts = demands.map(cutOf).filter((cut) => cut < maxLength);
  const parts = partsOf(demands, characters, [...new Set([...cuts, maxLength])].sort(ascending));
  const needed = Math.max(minLength, sumOf(parts?.at(-1)?.counts));
  const runs = demands.map((demand) => demand.maxRepeatedChars).filter((most) => most > 0);
  if (parts === null || needed > maxLength) return null;
  if (demands.some((demand) => demand.minLength > cutOf(demand))) return null;
  return {
    minLength: needed,
    maxLength,
    parts,
    characters,
    maxRepeatedChars: runs.length === 0 ? 0 : Math.min(...runs),
  };
}

const ascending = (one: number, other: number): number => one - other;

const cutOf = ({ filter }: Demand): number => filter?.maxLength ?? LONGEST;

/** What is cut off anyway is not too long. */
const limitOf = (demand: Demand): number =>
  demand.maxLength === null || cutOf(demand) <= demand.maxLength ? LONGEST : demand.maxLength;

/** The fewest of each kind before each cut, and in the whole. */
function partsOf(
  demands: readonly Demand[],
  characters: readonly number[],
  ends: readonly number[],
): readonly Part[] | null {
  const usable = kinds.filter((kind) => characters.some((point) => kindOf(point) === kind));
  for (const inUse of subsetsOf(usable)) {
    const parts: Part[] = [];
    for (const within of ends) {
      const concerned = demands.filter(
        (demand) => cutOf(demand) <= within || within === ends.at(-1),
      );
      const counts = subsetsOf(inUse)
        .map((present) => countsFor(concerned, present, parts.at(-1)?.counts ?? none))
        .find((found) => found !== null && sumOf(found) <= within);
      if (counts === undefined || counts === null) break;
      parts.push({ within, counts });
    }
    if (parts.length === ends.length) return parts;
  }
  return null;
}

const none: Counts = { upper: 0, lower: 0, digit: 0, special: 0 };

const sumOf = (counts: Counts = none): number => kinds.reduce((sum, kind) => sum + counts[kind], 0);

/** It may be in the password, and the filter leaves it alone but for its case. */
function lets({ allowed, notAllowed, filter }: Demand, point: number): boolean {
  if (allowed !== null && !characterSet(allowed)?.has(point)) return false;
  if (characterSet(notAllowed)?.has(point)) return false;
  if (filter === null) return true;
  const [image, another] = imagesOf({ ...filter, replaceWith: undefined })(point);
  return image !== undefined && another === undefined;
}

/** From none to all of them, the smaller ones first. */
const subsetsOf = (all: readonly Kind[]): Kind[][] =>
  all
    .reduce<Kind[][]>((sets, kind) => sets.concat(sets.map((set) => [...set, kind])), [[]])
    .sort((one, other) => one.length - other.length);

/** The fewest of each kind, these ones at least, that satisfy every demand; null when these kinds do not. */
function countsFor(
  demands: readonly Demand[],
  present: readonly Kind[],
  before: Counts,
): Counts | null {
  const counts = { ...before };
  for (const kind of present) counts[kind] = Math.max(1, counts[kind]);
  const inUse = kinds.filter((kind) => counts[kind] > 0);
  const asked = demands.flatMap((demand) =>
    askedOf(demand).map(([seen, least]) => ({
      giving: inUse.filter((kind) => seen.includes(seenAs(kind, demand))),
      least,
    })),
  );
  // What only one kind can give comes first: it counts for what several can.
  for (const { giving, least } of asked.sort((a, b) => a.giving.length - b.giving.length)) {
    const missing = least - giving.reduce((sum, kind) => sum + counts[kind], 0);
    const most = giving.at(-1);
    if (missing <= 0) continue;
    if (most === undefined) return null;
    counts[most] += missing;
  }
  const varied = demands.every(
    (demand) => new Set(inUse.map((kind) => seenAs(kind, demand))).size >= demand.minCharacterTypes,
  );
  return varied ? counts : null;
}

const askedOf = (demand: Demand): (readonly [kinds: readonly Kind[], least: number])[] => [
  [['upper'], demand.minUpper],
  [['lower'], demand.minLower],
  [['digit'], demand.minNumeric],
  [['special'], demand.minSpecial],
  [['upper', 'lower'], demand.minAlpha],
  [['digit', 'special'], demand.minNonAlpha],
];

const seenAs = (kind: Kind, { filter }: Demand): Kind =>
  filter?.case !== undefined && (kind === 'upper' || kind === 'lower') ? filter.case : kind;

const names: Readonly<Record<Kind, readonly [one: string, several: string]>> = {
  upper: ['upper-case letter', 'upper-case letters'],
  lower: ['lower-case letter', 'lower-case letters'],
  digit: ['digit', 'digits'],
  special: ['other character', 'other characters'],
};

/** `15 to 64 characters of printable ASCII; at least 1 digit` */
export function classSays(one: PasswordClass): string {
  const { parts, minLength, maxLength, characters, maxRepeatedChars } = one;
  return [
    `${minLength} to ${maxLength} characters of ${rangesOf(characters)}`,
    ...parts.filter(({ counts }) => sumOf(counts) > 0).map((part) => partSays(part, maxLength)),
    ...(maxRepeatedChars === 0 ? [] : [`none more than ${maxRepeatedChars} times in a row`]),
  ].join('; ');
}

function partSays({ within, counts }: Part, maxLength: number): string {
  const wanted = kinds
    .filter((kind) => counts[kind] > 0)
    .map((kind) => `${counts[kind]} ${names[kind][counts[kind] === 1 ? 0 : 1]}`);
  const where = within < maxLength ? `among the first ${within} ` : '';
  return `${where}at least ${wanted.join(', ')}`;
}

/** `0-9 A-Z a-z` */
function rangesOf(characters: readonly number[]): string {
  if (characters.length === PRINTABLE.length) return 'printable ASCII';
  const ranges: [number, number][] = [];
  for (const point of characters) {
    const last = ranges.at(-1);
    if (last?.[1] === point - 1) last[1] = point;
    else ranges.push([point, point]);
  }
  return ranges
    .map((range) => range.map((point) => (point === SPACE ? 'space' : String.fromCodePoint(point))))
    .map(([from = '', to = '']) => (from === to ? from : `${from}-${to}`))
    .join(' ');
}

const SPACE = 0x20;
