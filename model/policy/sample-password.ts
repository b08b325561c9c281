import { type Kind, kindOf, type PasswordClass } from './password-class';

/** Characters of each kind in the order in which samples use them, so that they can be read aloud. */
const pool: Readonly<Record<Kind, string>> = {
  upper: 'KVHMRTBDPWSLNCFGJAZYXEUIOQ',
  lower: 'velvetharborkayaksunsetmarblecanyonpianoforestwindowjuniperquartzoxygenfixable',
  digit: '72948351606',
  special: '-.+_=#%&,:;!?@$*()[]{}<>^~|/\\\'"` ',
};
const kinds: readonly Kind[] = ['upper', 'digit', 'special', 'lower'];

/**
 * A password of a class, always the same one: first the characters that the class demands, then others until it is long
 * enough. The caller verifies it by the code that enforces the rules.
 * @param length at least that of the class
 */
export function sampleOf(one: PasswordClass, length: number = one.minLength): string {
  const draw = drawFrom(one.characters);
  const demanded = one.parts.at(-1)?.counts;
  const text = kinds.flatMap((kind) =>
    Array.from({ length: demanded?.[kind] ?? 0 }, () => draw(kind)),
  );
  const filler = kinds.toReversed().find((kind) => one.characters.some((p) => kindOf(p) === kind));
  while (text.length < length) text.push(draw(filler ?? 'lower'));
  return text.join('');
}

/** Draws the characters of each kind in turn, without those that the class does not have. */
function drawFrom(characters: readonly number[]) {
  const has = new Set(characters.map((point) => String.fromCodePoint(point)));
  const drawn = new Map<Kind, number>();
  return (kind: Kind): string => {
    const usable = [...pool[kind]].filter((character) => has.has(character));
    const at = drawn.get(kind) ?? 0;
    drawn.set(kind, at + 1);
    return usable[at % Math.max(1, usable.length)] ?? '';
  };
}
