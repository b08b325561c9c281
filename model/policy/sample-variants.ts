import type { Known } from './checks';
import { type Kind, kindOf, type PasswordClass } from './password-class';
import { PRINTABLE } from './password-filter';
import type { PolicyRules } from './presets';
import { sampleOf } from './sample-password';
import type { TargetLimit } from './target-limits';

/** A rule of a policy of a group, or a limit of a source. */
export type PictureRule = TargetLimit | keyof PolicyRules;

/** A person who does not exist, for the rules about the words of a person. */
export const somePerson: Pick<Known, 'identity' | 'accountNames' | 'accountIds'> = {
  identity: ['Maria Kowalski'],
  accountNames: ['mkowal73'],
  accountIds: ['4f1c2e77'],
};

/**
 * Passwords that may break a rule. The caller finds out which of them do.
 * @param fitting the class that `base` is a sample of; null if there is none
 * @param value the number of the rule
 */
export function variantsOf(
  rule: PictureRule,
  fitting: PasswordClass | null,
  base: string,
  value: number,
): readonly string[] {
  const make = makers[rule];
  return make === undefined ? [] : make({ fitting, base, value }).filter((text) => text !== '');
}

interface Given {
  readonly fitting: PasswordClass | null;
  readonly base: string;
  readonly value: number;
}

type Maker = (given: Given) => readonly string[];

/** Other characters of each kind, without a run. */
const fillers: Readonly<Record<Kind, string>> = {
  lower: 'talindove',
  upper: 'TALINDOVE',
  digit: '5829173640',
  special: '-+.=_%',
};

/** The text with every character of these kinds replaced by one of another kind. */
const replacing = (base: string, ...replaced: readonly Kind[]): string[] =>
  (Object.keys(fillers) as Kind[])
    .filter((kind) => !replaced.includes(kind))
    .map((kind) =>
      [...base]
        .map((character, at) =>
          replaced.includes(kindOf(character.codePointAt(0) ?? 0))
            ? (fillers[kind][at % fillers[kind].length] ?? '')
            : character,
        )
        .join(''),
    );

/** The text with its end replaced. */
const ending = ({ base }: Given, end: string): string[] => [
  `${base.slice(0, Math.max(0, base.length - end.length))}${end}`,
  `${base}${end}`,
];

const withWords =
  (texts: readonly string[]): Maker =>
  (given) =>
    texts.flatMap((text) => text.split(' ')).flatMap((word) => ending(given, word));

const outside: Maker = (given) => {
  const inside = new Set(given.fitting?.characters ?? PRINTABLE);
  const others = PRINTABLE.filter((point) => !inside.has(point)).map((p) =>
    String.fromCodePoint(p),
  );
  return [...others, 'ü', '漢'].flatMap((character) => ending(given, character));
};

const makers: { readonly [Rule in PictureRule]?: Maker } = {
  minLength: ({ base, value }) => [base.slice(0, Math.max(1, value - 1))],
  maxLength: ({ fitting, value }) => (fitting === null ? [] : [sampleOf(fitting, value + 1)]),
  minAlpha: ({ base }) => replacing(base, 'upper', 'lower'),
  minNonAlpha: ({ base }) => replacing(base, 'digit', 'special'),
  minUpper: ({ base }) => replacing(base, 'upper'),
  minLower: ({ base }) => replacing(base, 'lower'),
  minNumeric: ({ base }) => replacing(base, 'digit'),
  minSpecial: ({ base }) => replacing(base, 'special'),
  minCharacterTypes: ({ base }) => [
    ...replacing(base, 'upper', 'digit', 'special'),
    ...replacing(base, 'digit', 'special'),
    ...replacing(base, 'upper', 'lower', 'special'),
  ],
  maxRepeatedChars: (given) =>
    ['k', 'K', '7'].flatMap((one) => ending(given, one.repeat(given.value + 1))),
  allowed: outside,
  notAllowed: outside,
  notCommon: ({ base: { length } }) => [
    ...['password', 'Password1', 'P@ssw0rd', '12345678'],
    ...['qwertyuiopasdfghjklzxcvbnm', '12345678901234567890', 'abcdefghijklmnopqrstuvwxyz'].map(
      (row) => row.slice(0, Math.max(8, length)),
    ),
  ],
  identityWordMinLength: withWords(somePerson.identity),
  validateAgainstAccountName: withWords(somePerson.accountNames),
  validateAgainstAccountId: withWords(somePerson.accountIds),
};
