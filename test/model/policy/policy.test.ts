import fc from 'fast-check';
import { withCodePoints } from '../../../model/passwords/code-points';
import { Secret } from '../../../model/passwords/secret';
import { checkedRules, type Known, nothingKnown } from '../../../model/policy/checks';
import { parseDictionary } from '../../../model/policy/dictionary';
import { foldedPoints, withFolded } from '../../../model/policy/folding';
import { type PolicySettings, policyRulesSchema, rulesOf } from '../../../model/policy/schema';
import { violations } from '../../../model/policy/violations';
import { shortName, wordList, wordsIn } from '../../../model/policy/word-list';

type Settings = Partial<PolicySettings>;

/** Switches off every rule that a test does not set. */
const none: Settings = { minLength: 0, notCommon: false, useIdentityAttributes: false };

const broken = (password: string, settings: Settings = {}, known: Partial<Known> = {}) =>
  violations(
    rulesOf(policyRulesSchema.parse({ ...none, ...settings })),
    Secret.fromText(password),
    { ...nothingKnown, ...known },
  );
const brokenBy = (...parameters: Parameters<typeof broken>) =>
  broken(...parameters).map(({ rule }) => rule);

const about = { identity: ['alice', 'Alice O’Neill-Brown', 'Ürümqi'] };
const dn = 'uid=neill.brown,ou=people,dc=example,dc=com';

describe('each rule', () => {
  test.each<[string, string, Settings, string[], Partial<Known>?]>([
    ['one code point short', 'abcdefg', { minLength: 8 }, ['minLength']],
    ['exactly long enough', 'abcdefgh', { minLength: 8 }, []],
    ['an emoji counts once, not by its bytes', '🔑🔑🔑🔑', { minLength: 4, maxLength: 4 }, []],
    ['a combining character counts on its own', 'e\u0301', { maxLength: 1 }, ['maxLength']],
    [
      'a family of one emoji is the code points that it is made of',
      '👩‍👧',
      { maxLength: 2 },
      ['maxLength'],
    ],
    ['one code point long', 'abcde', { maxLength: 4 }, ['maxLength']],
    ['a letter short', '12a', { minAlpha: 2 }, ['minAlpha']],
    ['letters of any script and case', 'aБ漢', { minAlpha: 3 }, []],
    ['only letters', 'abcБ', { minNonAlpha: 1 }, ['minNonAlpha']],
    ['a space is no letter', 'ab c', { minNonAlpha: 1 }, []],
    ['no upper-case letter', 'abc', { minUpper: 1 }, ['minUpper']],
    ['an upper-case letter of another script', 'абВ', { minUpper: 1 }, []],
    ['no lower-case letter', 'ABC', { minLower: 1 }, ['minLower']],
    ['no digit', 'abc', { minNumeric: 1 }, ['minNumeric']],
    ['a digit of another script', 'abc٣', { minNumeric: 1 }, []],
    ['nothing special', 'abc1', { minSpecial: 1 }, ['minSpecial']],
    ['a space is special', 'abc 1', { minSpecial: 1 }, []],
    ['two kinds of three', 'abcABC', { minCharacterTypes: 3 }, ['minCharacterTypes']],
    ['three kinds', 'abcAB1', { minCharacterTypes: 3 }, []],
    ['letters without case are a kind', 'ab1漢', { minCharacterTypes: 3 }, []],
    ['five kinds of five', 'aB1!漢', { minCharacterTypes: 5 }, []],
    ['a run that is too long', 'aaab', { maxRepeatedChars: 2 }, ['maxRepeatedChars']],
    ['a run that is just allowed', 'aabb', { maxRepeatedChars: 2 }, []],
    ['a character outside of a range', 'abC', { allowed: 'a-z' }, ['allowed']],
    ['a hyphen at the end is itself', 'ab-c', { allowed: 'a-z-' }, []],
    ['a colon, which SailPoint forbids', 'ab:c', { notAllowed: ':' }, ['notAllowed']],
    ['no colon', 'abc', { notAllowed: ':' }, []],
    [
      'a word of the person, whatever its case',
      'my-NEILL-secret',
      { useIdentityAttributes: true },
      ['identityWordMinLength'],
      about,
    ],
    [
      'a word of the person, written with combining marks',
      'my-u\u0308ru\u0308mqi',
      { useIdentityAttributes: true },
      ['identityWordMinLength'],
      about,
    ],
    [
      'a part of a word of the person',
      'my-neil-secret',
      { useIdentityAttributes: true },
      [],
      about,
    ],
    [
      'a word of the person that is short enough',
      'o-x',
      { useIdentityAttributes: true },
      [],
      about,
    ],
    [
      'words of the person, which are not looked at',
      'my-neill',
      { useIdentityAttributes: false },
      [],
      about,
    ],
    [
      'words of the person, of no length',
      'my-neill',
      { useIdentityAttributes: true, identityWordMinLength: 0 },
      [],
      about,
    ],
    [
      'the name of an account',
      'xBROWNx',
      { validateAgainstAccountName: true },
      ['validateAgainstAccountName'],
      { accountNames: [shortName(dn)] },
    ],
    [
      'the rest of its DN',
      'xexamplex',
      { validateAgainstAccountName: true },
      [],
      { accountNames: [shortName(dn)] },
    ],
    [
      'the id of an account',
      'xexamplex',
      { validateAgainstAccountId: true },
      ['validateAgainstAccountId'],
      { accountIds: [dn] },
    ],
    [
      'an id in words that are shorter',
      'xexamplex',
      { validateAgainstAccountId: true, accountIdMinWordLength: 8 },
      [],
      { accountIds: [dn] },
    ],
    [
      'a word of the dictionary, in any case',
      'my-ACME-secret',
      {},
      ['dictionary'],
      { dictionary: wordList(['acme']) },
    ],
    ['ß is ss to a reader', 'große', {}, ['dictionary'], { dictionary: wordList(['GROSSE']) }],
    ['no word of the dictionary', 'my-acm-e', {}, [], { dictionary: wordList(['acme']) }],
    ['one of the most used', 'PassWord1', { notCommon: true }, ['notCommon']],
    ['one of the most used, twice', 'password1Password1', { notCommon: true }, ['notCommon']],
    ['the same key all the time', 'aaaaaaaaaaaaaaaaaaaa', { notCommon: true }, ['notCommon']],
    ['a row of keys', '34567890123456789', { notCommon: true }, ['notCommon']],
    ['a row of keys, backwards', 'poiuytrewq', { notCommon: true }, ['notCommon']],
    [
      'one of the most used is a part of it, as NIST allows',
      'password1 is what I say',
      { notCommon: true },
      [],
    ],
    ['one that has leaked', 'x', {}, ['blocklist'], { blocklisted: true }],
    ['one that is too easy to guess', 'x', { minStrength: 3 }, ['minStrength'], { strength: 2 }],
    ['one that is just hard enough', 'x', { minStrength: 3 }, [], { strength: 3 }],
    ['one whose strength was not estimated', 'x', { minStrength: 3 }, [], { strength: null }],
  ])(
    'the rules report exactly what is wrong with a password: %s',
    (_title, password, settings, expected, known = {}) => {
      expect(brokenBy(password, settings, known)).toEqual(expected);
    },
  );
});

const everything: Settings = {
  minLength: 60,
  maxLength: 90,
  minAlpha: 50,
  minNonAlpha: 30,
  minUpper: 20,
  minLower: 20,
  minNumeric: 10,
  minSpecial: 10,
  minCharacterTypes: 5,
  maxRepeatedChars: 1,
  allowed: 'a-z',
  notAllowed: 'q',
  useIdentityAttributes: true,
  validateAgainstAccountName: true,
  validateAgainstAccountId: true,
  notCommon: true,
  minStrength: 4,
};
const allKnown: Known = {
  identity: ['qwerty'],
  accountNames: ['qwerty'],
  accountIds: ['qwerty'],
  dictionary: wordList(['qwerty']),
  blocklisted: true,
  strength: 0,
};

test('every violation of a password is reported at once', () => {
  expect(brokenBy('QWERTYQWERTY1111', { ...everything, notCommon: false }, allKnown)).toEqual(
    checkedRules.filter((rule) => !['maxLength', 'notAllowed', 'notCommon'].includes(rule)),
  );
});

test('a violation names the limit of its rule, and never a part of the password', () => {
  const reported = broken('qwertyqwerty', everything, allKnown);
  expect(reported.map(({ says }) => says).join(' ')).not.toMatch(/qwerty/i);
  expect(reported[0]?.says).toBe('Use at least 60 characters.');
});

describe('a policy', () => {
  test.each<[string, object, string]>([
    [
      'a policy whose minLength is larger than its maxLength',
      { minLength: 30, maxLength: 20 },
      'minLength',
    ],
    [
      'a policy whose rules require more characters than maxLength',
      { minLength: 4, maxLength: 8, minUpper: 5, minNumeric: 4 },
      'maxLength',
    ],
    ['a policy with a range that runs backwards', { allowed: 'z-a' }, 'allowed'],
    ['a policy with a relative path', { blocklist: 'leaked.bin' }, 'blocklist'],
    ['a policy of the preset asvs-l2 without a blocklist', { preset: 'asvs-l2' }, 'preset'],
    [
      'a policy with a dictionary word that is too long',
      { dictionary: ['x'.repeat(129)] },
      'dictionary',
    ],
    [
      'a policy with too many dictionary words',
      { dictionary: Array(2_501).fill('word') },
      'dictionary',
    ],
  ])('%s is refused', (_title, settings, field) => {
    const { error } = policyRulesSchema.safeParse(settings);
    expect(error?.issues.map(({ path }) => path[0])).toEqual([field]);
  });

  test('a policy has the rules of its preset, and the settings that differ', () => {
    const rules = rulesOf(policyRulesSchema.parse({ preset: 'cis', minLength: 20 }));
    expect(rules).toMatchObject({ minLength: 20, minNonAlpha: 1, maxLength: 256 });
  });
});

describe('a dictionary file', () => {
  test('a dictionary file holds one word a line, next to comments and its language', () => {
    const text = '# Prohibited\r\nlocale=en_US\r\n\r\nAcme\r\n  winter \r\n';
    expect(parseDictionary(text)).toEqual({ words: ['Acme', 'winter'] });
  });

  test.each<[string, string, number]>([
    ['a dictionary file with too many lines', 'word\n'.repeat(2_501), 2_501],
    ['a dictionary file with a line that is too long', `word\n${'é'.repeat(129)}\n`, 2],
  ])('%s is refused with the number of the line', (_title, text, line) => {
    expect(parseDictionary(text)).toMatchObject({ line });
  });

  test('a dictionary file may have exactly the maximum size', () => {
    expect(parseDictionary(`${'é'.repeat(128)}\n`.repeat(2_500))).toMatchObject({
      words: { length: 2_500 },
    });
  });
});

test('the words of a text are separated by every other character', () => {
  expect(wordsIn(['Alice O’Neill-Brown', 'alice@example.com'], 4)).toEqual([
    ...['Alice', 'Neill', 'Brown', 'alice', 'example'],
  ]);
});

test.each([
  [dn, 'neill.brown'],
  ['CN=Brown\\, Alice,OU=people,DC=example', 'Brown\\, Alice'],
  ['alice', 'alice'],
])('the short name of %s is %s', (name, short) => {
  expect(shortName(name)).toBe(short);
});

describe('code points', () => {
  const anyText = fc.string({ unit: 'binary' });

  test('the code points of a Secret are those of its text, for any text', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const points = withCodePoints(Secret.fromText(text), (lent) => [...lent]);
        expect(points).toEqual([...text].map((letter) => letter.codePointAt(0)));
      }),
    );
  });

  test('code points that are folded piece by piece equal those of the text folded as a whole, for any text', () => {
    const grapheme = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(fc.oneof(anyText, grapheme), (text) => {
        const whole = text.normalize('NFC').toUpperCase().normalize('NFC');
        const again = foldedPoints(String.fromCodePoint(...foldedPoints(text)));
        expect([...again]).toEqual([...foldedPoints(text)]);
        expect([...foldedPoints(whole)]).toEqual([...foldedPoints(text)]);
      }),
    );
  });

  test('code points are zeroed after they were lent, folded or not', () => {
    const kept = withCodePoints(Secret.fromText('abc'), (lent) =>
      withFolded(lent, (folded) => [lent, folded]),
    );
    expect(kept.map((points) => [...points])).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });
});
