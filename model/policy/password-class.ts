import { characterSet, isDigit, isLower, isUpper } from './characters';
import { imagesOf, type PasswordFilter, PRINTABLE } from './password-filter';
import type { PolicyRules } from './presets';

/**
 * The requirements of a policy of a group or of a source, which apply after the filter of the source, if it has one.
 */
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
  /** In code points; null sets no limit. */
  readonly maxLength: number | null;
}

const kinds = ['upper', 'lower', 'digit', 'special'] as const;
export type Kind = (typeof kinds)[number];
type Counts = Readonly<Record<Kind, number>>;

/** A set of passwords of printable ASCII, described by lengths, characters and minimum counts. */
export interface PasswordClass {
  readonly minLength: number;
  readonly maxLength: number;
  /** Minimum counts of each kind: among the characters before each cut of a filter, then in the whole password. */
  readonly parts: readonly Part[];
  readonly characters: readonly number[];
  /** 0 sets no limit. */
  readonly maxRepeatedChars: number;
}

interface Part {
  /** The counts apply to this number of characters at the beginning. */
  readonly within: number;
  readonly counts: Counts;
}

export const kindOf = (point: number): Kind =>
  isUpper(point) ? 'upper' : isLower(point) ? 'lower' : isDigit(point) ? 'digit' : 'special';

/** Maximum length that is considered, in characters. */
const LONGEST = 1024;

/** The passwords that satisfy every demand; null when no password of printable ASCII does. */
export function passwordClass(demands: readonly Demand[]): PasswordClass | null {
  const characters = PRINTABLE.filter((point) => demands.every((demand) => permits(demand, point)));
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

/** The length limit of a demand; none when the filter cuts the password to that limit or below. */
const limitOf = (demand: Demand): number =>
  demand.maxLength === null || cutOf(demand) <= demand.maxLength ? LONGEST : demand.maxLength;

/** The minimum counts of each kind before each cut, and in the whole password. */
function partsOf(
  demands: readonly Demand[],
  characters: readonly number[],
  ends: readonly number[],
): readonly Part[] | null {
  const usable = kinds.filter((kind) => characters.some((point) => kindOf(point) === kind));
  for (const inUse of subsetsOf(usable)) {
    const parts: Part[] = [];
    for (const within of ends) {
      const applicable = demands.filter(
        (demand) => cutOf(demand) <= within || within === ends.at(-1),
      );
      const counts = subsetsOf(inUse)
        .map((present) => countsFor(applicable, present, parts.at(-1)?.counts ?? none))
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

/** True when the demand allows the character, and its filter changes at most the case of it. */
function permits({ allowed, notAllowed, filter }: Demand, point: number): boolean {
  if (allowed !== null && !characterSet(allowed)?.has(point)) return false;
  if (characterSet(notAllowed)?.has(point)) return false;
  if (filter === null) return true;
  const [image, another] = imagesOf({ ...filter, replaceWith: undefined })(point);
  return image !== undefined && another === undefined;
}

/** All subsets, from none to all kinds, smaller ones first. */
const subsetsOf = (all: readonly Kind[]): Kind[][] =>
  all
    .reduce<Kind[][]>((sets, kind) => sets.concat(sets.map((set) => [...set, kind])), [[]])
    .sort((one, other) => one.length - other.length);

/** The smallest counts that include the kinds in `present` and satisfy every demand; null when these kinds cannot. */
function countsFor(
  demands: readonly Demand[],
  present: readonly Kind[],
  before: Counts,
): Counts | null {
  const counts = { ...before };
  for (const kind of present) counts[kind] = Math.max(1, counts[kind]);
  const inUse = kinds.filter((kind) => counts[kind] > 0);
  const minimums = demands.flatMap((demand) =>
    minimumsOf(demand).map(([counted, least]) => ({
      suitable: inUse.filter((kind) => counted.includes(kindAfterFilter(kind, demand))),
      least,
    })),
  );
  // Minimums that only one kind can satisfy come first, because these characters also count for the others.
  for (const { suitable, least } of minimums.sort(
    (a, b) => a.suitable.length - b.suitable.length,
  )) {
    const missing = least - suitable.reduce((sum, kind) => sum + counts[kind], 0);
    const added = suitable.at(-1);
    if (missing <= 0) continue;
    if (added === undefined) return null;
    counts[added] += missing;
  }
  const varied = demands.every(
    (demand) =>
      new Set(inUse.map((kind) => kindAfterFilter(kind, demand))).size >= demand.minCharacterTypes,
  );
  return varied ? counts : null;
}

const minimumsOf = (demand: Demand): (readonly [kinds: readonly Kind[], least: number])[] => [
  [['upper'], demand.minUpper],
  [['lower'], demand.minLower],
  [['digit'], demand.minNumeric],
  [['special'], demand.minSpecial],
  [['upper', 'lower'], demand.minAlpha],
  [['digit', 'special'], demand.minNonAlpha],
];

const kindAfterFilter = (kind: Kind, { filter }: Demand): Kind =>
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

/** The characters as ranges, such as `0-9 A-Z a-z`. */
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
