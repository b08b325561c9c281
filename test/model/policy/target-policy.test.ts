import fc from 'fast-check';
import { Secret } from '../../../model/passwords/secret';
import {
  type Demand,
  type PasswordClass,
  passwordClass,
} from '../../../model/policy/password-class';
import {
  type PasswordFilter,
  passwordFilterSchema,
  rewrite,
} from '../../../model/policy/password-filter';
import { type PolicySettings, policyRulesSchema, rulesOf } from '../../../model/policy/schema';
import {
  asksNothing,
  satisfiability,
  type TargetPolicy,
} from '../../../model/policy/target-policy';

const member = (
  policy: Partial<TargetPolicy>,
  filter: Partial<PasswordFilter> | null = null,
  source = 'corp',
) => ({
  source,
  filter: filter === null ? null : passwordFilterSchema.parse(filter),
  policies: [{ ...asksNothing, name: 'cn=policy', ...policy }],
});
const judged = (
  settings: Partial<PolicySettings>,
  ...members: Parameters<typeof satisfiability>[1]
) => satisfiability({ name: 'staff', rules: rulesOf(policyRulesSchema.parse(settings)) }, members);

const windows = { name: 'the domain', minLength: 7, minCharacterTypes: 3 };

describe('what cannot be satisfied together', () => {
  test.each<[string, Partial<PolicySettings>, Parameters<typeof satisfiability>[1], string[]]>([
    ['nothing', {}, [member({ minLength: 20 })], []],
    [
      'a source that asks for more than the policy allows',
      { maxLength: 20 },
      [member({ minLength: 21 })],
      ['No password satisfies both the policy "staff" and cn=policy of "corp".'],
    ],
    [
      'two sources',
      { minLength: 8 },
      [member({ minLength: 12 }), member({ maxLength: 10 }, null, 'apps')],
      ['No password satisfies both cn=policy of "corp" and cn=policy of "apps".'],
    ],
    [
      'a source whose filter takes what it asks for',
      {},
      [member({ minLower: 1 }, { case: 'upper' })],
      ['No password satisfies cn=policy of "corp".'],
    ],
    [
      'a source whose filter cuts below its own length',
      {},
      [member({ minLength: 10 }, { maxLength: 8 })],
      ['No password satisfies cn=policy of "corp".'],
    ],
    [
      'nothing, where a filter cuts what would be too long',
      {},
      [member({ maxLength: 8 }, { maxLength: 8 })],
      [],
    ],
    [
      'a character that one asks for and the other forbids',
      { allowed: 'a-zA-Z' },
      [member({ minNumeric: 1 })],
      ['No password satisfies both the policy "staff" and cn=policy of "corp".'],
    ],
    [
      'three that fit in pairs only',
      { minLength: 4, minNumeric: 4, maxLength: 8 },
      [member({ minUpper: 3 }), member({ minLower: 3 }, null, 'apps')],
      [
        'No password satisfies all of these together: the policy "staff", cn=policy of "corp", cn=policy of "apps".',
      ],
    ],
  ])('%s', (_title, settings, members, expected) => {
    const { impossible, fits } = judged(settings, ...members);
    expect(impossible).toEqual(expected);
    expect(fits === null).toBe(expected.length > 0);
  });
});

describe('what the policy of the group does not see to', () => {
  test.each<[string, Partial<PolicySettings>, Parameters<typeof satisfiability>[1], string[]]>([
    ['nothing', { preset: 'ad-legacy' }, [member(windows)], []],
    [
      'kinds of characters',
      {},
      [member(windows)],
      ['the domain of "corp" wants 3 or more kinds of characters'],
    ],
    [
      'kinds that the policy asks for one by one',
      { minUpper: 1, minLower: 1, minNumeric: 1 },
      [member(windows)],
      [],
    ],
    [
      'lengths',
      { minLength: 8, maxLength: 64 },
      [member({ minLength: 9, maxLength: 63 })],
      ['cn=policy of "corp" wants 9 characters or more, takes 63 characters at most'],
    ],
    [
      'bytes, of which a character takes four',
      { maxLength: 64 },
      [member({ maxLength: 255, countsBytes: true })],
      ['cn=policy of "corp" takes 255 bytes at most'],
    ],
    [
      'nothing, where the characters are of one byte',
      { maxLength: 64, allowed: 'a-z' },
      [member({ maxLength: 64, countsBytes: true })],
      [],
    ],
    [
      'history and age, which no policy of ours can',
      {},
      [member({ history: 3, minAgeSeconds: 60 })],
      ['cn=policy of "corp" remembers 3 old passwords, takes no second change within 60 seconds'],
    ],
    [
      'capitals that a filter makes of letters',
      { minAlpha: 2 },
      [member({ minUpper: 2 }, { case: 'upper' })],
      [],
    ],
    [
      'digits that a filter may cut off',
      { minNumeric: 1 },
      [member({ minNumeric: 1 }, { maxLength: 8 })],
      ['cn=policy of "corp" wants 1 or more digits'],
    ],
    [
      'a length that a filter may take away',
      { minLength: 15 },
      [member({ minLength: 8 }, { allowed: 'a-z' })],
      ['cn=policy of "corp" wants 8 characters or more'],
    ],
  ])('%s', (_title, settings, members, expected) => {
    const says = '; the policy "staff" does not see to it.';
    expect(judged(settings, ...members).notGuaranteed).toEqual(
      expected.map((one) => `${one}${says}`),
    );
  });

  test('and a filter that weakens is warned about', () => {
    expect(judged({}, member({}, { maxLength: 8 })).warnings).toEqual([
      'corp: The filter weakens passwords: of about 98 bits of 15 random characters, 52 are left.',
    ]);
  });
});

describe('passwords that fit everybody', () => {
  test.each<[string, Partial<PolicySettings>, Parameters<typeof satisfiability>[1], string]>([
    ['one policy alone', {}, [], '15 to 256 characters of printable ASCII'],
    [
      'a Windows domain, and a directory that counts',
      { maxLength: 64, notAllowed: ':' },
      [member(windows), member({ minNumeric: 2, maxRepeatedChars: 3 }, null, 'apps')],
      '15 to 64 characters of space-9 ;-~; at least 1 upper-case letter, 1 lower-case letter, 2 digits; none more than 3 times in a row',
    ],
    [
      'letters, which the capitals of somebody else are too',
      { minAlpha: 4, minLower: 1 },
      [member({ minUpper: 4 })],
      '15 to 256 characters of printable ASCII; at least 4 upper-case letters, 1 lower-case letter',
    ],
    [
      'a mainframe',
      { minLength: 15, maxLength: 64 },
      [member({ minNumeric: 1, minAlpha: 1 }, { case: 'upper', allowed: 'A-Z0-9', maxLength: 8 })],
      '15 to 64 characters of 0-9 A-Z a-z; among the first 8 at least 1 upper-case letter, 1 digit; at least 1 upper-case letter, 1 digit',
    ],
  ])('%s', (_title, settings, members, expected) => {
    expect(judged(settings, ...members).fits).toBe(expected);
  });
});

/** Every password of up to five characters, a character a kind. */
const everyPassword = (() => {
  const all = [''];
  for (let from = 0, length = 0; length < 5; length++) {
    const to = all.length;
    for (; from < to; from++) for (const one of 'Aa0-') all.push(`${all[from]}${one}`);
  }
  return all.slice(1);
})();

const few = fc.integer({ min: 0, max: 2 });
const demands = fc.array(
  fc.record({
    name: fc.constant('one'),
    filter: fc.option(
      fc
        .record<Partial<PasswordFilter>>(
          {
            case: fc.constantFrom('upper', 'lower'),
            maxLength: fc.integer({ min: 1, max: 5 }),
          },
          { requiredKeys: [] },
        )
        .map((said) => passwordFilterSchema.parse(said)),
    ),
    minLength: fc.integer({ min: 0, max: 5 }),
    maxLength: fc.integer({ min: 3, max: 5 }),
    ...{ minAlpha: few, minNonAlpha: few, minUpper: few, minLower: few },
    ...{ minNumeric: few, minSpecial: few, minCharacterTypes: fc.integer({ min: 0, max: 4 }) },
    maxRepeatedChars: fc.constant(0),
    allowed: fc.constantFrom(null, 'a-zA-Z', 'a-z0-9', ' -~'),
    notAllowed: fc.constant(''),
  }),
  { minLength: 1, maxLength: 3 },
);

const seenBy = ({ filter }: Demand, password: string): string =>
  filter === null ? password : (rewrite(filter, Secret.fromText(password))?.text() ?? '');

function satisfies(password: string, demand: Demand): boolean {
  const { allowed } = demand;
  if (allowed !== null && !new RegExp(`^[${allowed}]*$`).test(password)) return false;
  const seen = seenBy(demand, password);
  const count = (kind: RegExp) => seen.match(kind)?.length ?? 0;
  const counts = [/[A-Z]/g, /[a-z]/g, /[0-9]/g, /[^A-Za-z0-9]/g].map(count);
  const [upper = 0, lower = 0, digits = 0, special = 0] = counts;
  return (
    seen.length >= demand.minLength &&
    seen.length <= (demand.maxLength ?? seen.length) &&
    upper >= demand.minUpper &&
    lower >= demand.minLower &&
    digits >= demand.minNumeric &&
    special >= demand.minSpecial &&
    upper + lower >= demand.minAlpha &&
    digits + special >= demand.minNonAlpha &&
    counts.filter((one) => one > 0).length >= demand.minCharacterTypes
  );
}

/** As a generator would: what is asked for before each cut first, then anything. */
function oneOf({ parts, minLength, characters }: PasswordClass): string {
  const letters = { upper: 'A', lower: 'a', digit: '0', special: '-' };
  let password = '';
  for (const { counts } of parts)
    for (const [kind, letter] of Object.entries(letters)) {
      const missing = counts[kind as keyof typeof counts] - password.split(letter).length + 1;
      password += letter.repeat(Math.max(0, missing));
    }
  return password.padEnd(minLength, String.fromCodePoint(characters.at(-1) ?? 0));
}

test('whether there are such passwords is what trying them all says, and each of the class is one', () => {
  fc.assert(
    fc.property(demands, (asked) => {
      const found = passwordClass(asked);
      const some = everyPassword.some((one) => asked.every((demand) => satisfies(one, demand)));
      expect(found !== null).toBe(some);
      if (found !== null)
        expect(asked.filter((demand) => !satisfies(oneOf(found), demand))).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
