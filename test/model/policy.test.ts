import fc from 'fast-check';
import { withCodePoints } from '../../model/code-points';
import { identityWords, type PolicyRules, policyRulesSchema, violations } from '../../model/policy';
import { Secret } from '../../model/secret';

const rules = (more: Partial<PolicyRules> = {}) => policyRulesSchema.parse(more);
const brokenBy = (password: string, more: Partial<PolicyRules> = {}, words: string[] = []) =>
  violations(rules({ minLength: 0, ...more }), Secret.fromText(password), words).map(
    ({ rule }) => rule,
  );

describe('each rule', () => {
  test.each<[string, string, Partial<PolicyRules>, string[]]>([
    ['one code point short', 'abcdefg', { minLength: 8 }, ['minLength']],
    ['exactly long enough', 'abcdefgh', { minLength: 8 }, []],
    [
      'an emoji counts once, as NIST asks, not by its bytes',
      '🔑🔑🔑🔑',
      { minLength: 4, maxLength: 4 },
      [],
    ],
    ['a combining character counts on its own', 'e\u0301', { maxLength: 1 }, ['maxLength']],
    ['one code point long', 'abcde', { maxLength: 4 }, ['maxLength']],
    ['no upper-case letter', 'abc', { minUpper: 1 }, ['minUpper']],
    ['an upper-case letter of another script', 'абВ', { minUpper: 1 }, []],
    ['no lower-case letter', 'ABC', { minLower: 1 }, ['minLower']],
    ['no digit', 'abc', { minNumeric: 1 }, ['minNumeric']],
    ['a digit of another script', 'abc٣', { minNumeric: 1 }, []],
    ['nothing special', 'abc1', { minSpecial: 1 }, ['minSpecial']],
    ['a space is special', 'abc 1', { minSpecial: 1 }, []],
    ['a run that is too long', 'aaab', { maxRepeatedChars: 2 }, ['maxRepeatedChars']],
    ['a run that is just allowed', 'aabb', { maxRepeatedChars: 2 }, []],
  ])('%s', (_title, password, more, expected) => {
    expect(brokenBy(password, more)).toEqual(expected);
  });
});

test('every violation is told at once', () => {
  const all = brokenBy('aaa', {
    minLength: 8,
    minUpper: 1,
    minNumeric: 1,
    minSpecial: 1,
    maxRepeatedChars: 2,
  });
  expect(all).toEqual(['minLength', 'minUpper', 'minNumeric', 'minSpecial', 'maxRepeatedChars']);
});

test('words of the person may not be part of it, whatever the case; short ones may', () => {
  const words = identityWords(['alice', 'Alice O’Neill-Brown', 'x']);
  expect(words).toEqual(['alice', 'o', 'neill', 'brown', 'x']);
  expect(brokenBy('my-NEILL-secret', { identityWordMinLength: 4 }, words)).toEqual([
    'identityWordMinLength',
  ]);
  expect(brokenBy('my-neil-secret-x', { identityWordMinLength: 4 }, words)).toEqual([]);
  expect(brokenBy('my-NEILL-secret', { identityWordMinLength: 0 }, words)).toEqual([]);
});

test('the defaults ask for length and for no composition (NIST SP 800-63B-4 §3.1.1.2)', () => {
  expect(violations(rules(), Secret.fromText('correct horse battery'), [])).toEqual([]);
  expect(violations(rules(), Secret.fromText('Short-1!'), []).map(({ rule }) => rule)).toEqual([
    'minLength',
  ]);
});

test('what a violation says never quotes the password', () => {
  const said = violations(rules({ minUpper: 9 }), Secret.fromText('qqqq'), []).map(
    ({ says }) => says,
  );
  expect(said.join(' ')).not.toContain('qqqq');
});

test('code points are those of the text, for any text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const points = withCodePoints(Secret.fromText(text), (lent) => [...lent]);
      expect(points).toEqual([...text].map((letter) => letter.codePointAt(0)));
    }),
  );
});

test('the code points are zeroed after they were lent', () => {
  const kept = withCodePoints(Secret.fromText('abc'), (lent) => lent);
  expect([...kept]).toEqual([0, 0, 0]);
});
