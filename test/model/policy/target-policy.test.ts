import fc from 'fast-check';
import { reasonSays } from '../../../model/change/reason';
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
const evaluated = (
  settings: Partial<PolicySettings>,
  ...members: Parameters<typeof satisfiability>[1]
) => satisfiability({ name: 'staff', rules: rulesOf(policyRulesSchema.parse(settings)) }, members);

const windows = { name: 'the domain', minLength: 7, minCharacterTypes: 3 };

test('a refusal quotes only a limit that the policies of the group let a password break', () => {
  const [policy] = member({ minLength: 4 }).policies;
  const context = {
    source: 'corp',
    sourcePolicies: policy === undefined ? [] : [policy],
    filters: [null],
    pausedBy: null,
  };
  const says = (minLength: number) =>
    reasonSays('rejected', 'policy_too_short', {
      ...context,
      satisfied: [rulesOf(policyRulesSchema.parse({ minLength }))],
    });
  expect(says(3)).toContain('requires 4 characters or more');
  // The source must have changed its policy since its last check.
  expect(says(8)).not.toMatch(/\d/);
});

describe('policies that no password can satisfy together', () => {
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
  ])('the contradictions between policies are found: %s', (_title, settings, members, expected) => {
    const { impossible, fits } = evaluated(settings, ...members);
    expect(impossible).toEqual(expected);
    expect(fits === null).toBe(expected.length > 0);
  });
});

describe('passwords that the policy of the group does not guarantee', () => {
  test.each<[string, Partial<PolicySettings>, Parameters<typeof satisfiability>[1], string[]]>([
    ['nothing', { preset: 'ad-legacy' }, [member(windows)], []],
    [
      'kinds of characters',
      {},
      [member(windows)],
      ['the domain of "corp" requires 3 or more kinds of characters'],
    ],
    [
      'nothing, when the policy requires the kinds one by one',
      { minUpper: 1, minLower: 1, minNumeric: 1 },
      [member(windows)],
      [],
    ],
    [
      'lengths',
      { minLength: 8, maxLength: 64 },
      [member({ minLength: 9, maxLength: 63 })],
      ['cn=policy of "corp" requires 9 characters or more, accepts at most 63 characters'],
    ],
    [
      'bytes, of which a character takes four',
      { maxLength: 64 },
      [member({ maxLength: 255, countsBytes: true })],
      ['cn=policy of "corp" accepts at most 255 bytes'],
    ],
    [
      'nothing, where the characters are of one byte',
      { maxLength: 64, allowed: 'a-z' },
      [member({ maxLength: 64, countsBytes: true })],
      [],
    ],
    [
      'history and age, which no policy of a group guarantees',
      {},
      [member({ history: 3, minAgeSeconds: 60 })],
      ['cn=policy of "corp" remembers 3 old passwords, accepts no second change within 60 seconds'],
    ],
    [
      'nothing, when a filter makes capitals of letters',
      { minAlpha: 2 },
      [member({ minUpper: 2 }, { case: 'upper' })],
      [],
    ],
    [
      'digits that a filter may cut off',
      { minNumeric: 1 },
      [member({ minNumeric: 1 }, { maxLength: 8 })],
      ['cn=policy of "corp" requires 1 or more digits'],
    ],
    [
      'a length that a filter may take away',
      { minLength: 15 },
      [member({ minLength: 8 }, { allowed: 'a-z' })],
      ['cn=policy of "corp" requires 8 characters or more'],
    ],
  ])('the gaps in the policy of the group are found: %s', (_title, settings, members, expected) => {
    const says = '; the policy "staff" does not guarantee that.';
    expect(evaluated(settings, ...members).notGuaranteed).toEqual(
      expected.map((gap) => `${gap}${says}`),
    );
  });

  test.each<[string, Partial<PolicySettings>, Partial<PasswordFilter>, string[]]>([
    ['removes characters', { minLength: 15 }, { allowed: 'a-z', minLength: 8 }, ['8']],
    ['needs more than the policy', { minLength: 6 }, { case: 'upper', minLength: 8 }, ['8']],
    ['needs what it leaves', {}, { maxLength: 8, minLength: 8 }, []],
    ['replaces characters', {}, { allowed: 'a-z', replaceWith: 'x', minLength: 8 }, []],
  ])(
    'a filter may leave too little of a password: one that %s',
    (_title, settings, filter, gap) => {
      const silent = { ...member({}, filter), policies: [] };
      expect(evaluated(settings, silent).notGuaranteed).toEqual(
        gap.map(
          (least) =>
            `The filter of "corp" needs ${least} characters that it does not remove; the policy "staff" does not guarantee that.`,
        ),
      );
    },
  );

  test('a filter demands its minimum length of every password, also without a policy of its source', () => {
    const silent = { ...member({}, { allowed: '0-9', minLength: 20 }), policies: [] };
    expect(evaluated({}, silent).fits).toBe('20 to 256 characters of 0-9');
    expect(evaluated({ maxLength: 18 }, silent).impossible).toEqual([
      'No password satisfies both the policy "staff" and the filter of "corp".',
    ]);
  });

  test('a filter that removes characters without a minLength causes a warning', () => {
    const removes = { allowed: 'A-Za-z0-9', maxLength: 40 };
    const short = 'may leave a single one';
    expect(evaluated({}, member({}, removes)).warnings).toContainEqual(
      expect.stringContaining(short),
    );
    for (const filter of [
      { ...removes, minLength: 6 },
      { ...removes, replaceWith: 'X' },
      { maxLength: 8 },
    ])
      expect(evaluated({}, member({}, filter)).warnings.join('')).not.toContain(short);
  });

  test('a filter that weakens passwords causes a warning', () => {
    expect(evaluated({}, member({}, { maxLength: 8 })).warnings).toEqual([
      'corp: The filter weakens passwords: of about 98 bits of 15 random characters, 52 are left. Allow more characters, or a larger maxLength, if the source accepts them.',
    ]);
  });
});

describe('passwords that fit every policy', () => {
  test.each<[string, Partial<PolicySettings>, Parameters<typeof satisfiability>[1], string]>([
    ['one policy alone', {}, [], '15 to 256 characters of printable ASCII'],
    [
      'a Windows domain, and a directory that counts',
      { maxLength: 64, notAllowed: ':' },
      [member(windows), member({ minNumeric: 2, maxRepeatedChars: 3 }, null, 'apps')],
      '15 to 64 characters of space-9 ;-~; at least 1 upper-case letter, 1 lower-case letter, 2 digits; none more than 3 times in a row',
    ],
    [
      'letters, which include the capitals of another policy',
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
  ])('the recipe fits every policy: %s', (_title, settings, members, expected) => {
    expect(evaluated(settings, ...members).fits).toBe(expected);
  });
});

/** Every password of up to five characters, with one character of each kind. */
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

const filteredBy = ({ filter }: Demand, password: string): string =>
  filter === null ? password : (rewrite(filter, Secret.fromText(password))?.text() ?? '');

function satisfies(password: string, demand: Demand): boolean {
  const { allowed } = demand;
  if (allowed !== null && !new RegExp(`^[${allowed}]*$`).test(password)) return false;
  const filtered = filteredBy(demand, password);
  const count = (kind: RegExp) => filtered.match(kind)?.length ?? 0;
  const counts = [/[A-Z]/g, /[a-z]/g, /[0-9]/g, /[^A-Za-z0-9]/g].map(count);
  const [upper = 0, lower = 0, digits = 0, special = 0] = counts;
  return (
    filtered.length >= demand.minLength &&
    filtered.length <= (demand.maxLength ?? filtered.length) &&
    upper >= demand.minUpper &&
    lower >= demand.minLower &&
    digits >= demand.minNumeric &&
    special >= demand.minSpecial &&
    upper + lower >= demand.minAlpha &&
    digits + special >= demand.minNonAlpha &&
    counts.filter((one) => one > 0).length >= demand.minCharacterTypes
  );
}

/** Makes a password as a generator would: the required characters before each cut first, then any others. */
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

test('a class of passwords exists exactly when trying all passwords finds one, and its members satisfy every demand', () => {
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
