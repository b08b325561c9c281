import fc from 'fast-check';
import { Secret } from '../../../model/passwords/secret';
import {
  type PasswordFilter,
  passwordFilterSchema,
  rewrite,
  weakens,
} from '../../../model/policy/password-filter';
import { policyRulesSchema, rulesOf } from '../../../model/policy/schema';

const filter = (said: Partial<PasswordFilter>) => passwordFilterSchema.parse(said);
const rewritten = (said: Partial<PasswordFilter>, password: string) =>
  rewrite(filter(said), Secret.fromText(password))?.text() ?? null;

const mainframe: Partial<PasswordFilter> = { case: 'upper', allowed: 'A-Z0-9@#$', maxLength: 8 };

describe('a password filter', () => {
  test.each<[string, Partial<PasswordFilter>, string, string | null]>([
    ['of no rule leaves all as it is', {}, 'Größe 🔑', 'Größe 🔑'],
    ['writes capitals', { case: 'upper' }, 'Größe-1', 'GRÖSSE-1'],
    ['writes small letters', { case: 'lower' }, 'GRÖSSE-Σ', 'grösse-σ'],
    ['leaves out what is not allowed', { allowed: 'a-z' }, 'a-b c🔑d', 'abcd'],
    ['puts another character in its place', { allowed: 'a-z.', replaceWith: '.' }, 'a-b🔑', 'a.b.'],
    ['cuts off by code points, not by bytes', { maxLength: 3 }, '🔑é🔑é', '🔑é🔑'],
    ['takes the case before the characters', { case: 'upper', allowed: 'A-Z' }, 'ab-c', 'ABC'],
    ['takes the characters before the length', { allowed: 'a-z', maxLength: 3 }, '1a2b3c4d', 'abc'],
    ['makes what a mainframe takes', mainframe, 'correct horse', 'CORRECTH'],
    ['that leaves nothing gives nothing', { allowed: 'a-z' }, '1234', null],
    [
      'that leaves less than minLength gives nothing',
      { allowed: 'a-z', minLength: 4 },
      'abc-1',
      null,
    ],
  ])('%s', (_title, said, password, expected) => {
    expect(rewritten(said, password)).toBe(expected);
  });

  const anyFilter = fc
    .record<Partial<PasswordFilter>>(
      {
        case: fc.constantFrom('upper', 'lower'),
        allowed: fc.constantFrom('A-Z', 'a-zß0-9.', 'A-Za-z0-9._-', 'À-ž .'),
        replaceWith: fc.constantFrom('.', 'A', 'a', '0'),
        maxLength: fc.integer({ min: 1, max: 12 }),
      },
      { requiredKeys: [] },
    )
    .map((said) => passwordFilterSchema.safeParse(said))
    .filter(({ success }) => success)
    .map(({ data }) => data as PasswordFilter);

  test('once more changes nothing, whatever the filter and the password', () => {
    const password = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }));
    fc.assert(
      fc.property(anyFilter, password, (said, text) => {
        const once = rewrite(said, Secret.fromText(text));
        const twice = once === null ? null : rewrite(said, once);
        expect(twice?.text() ?? null).toBe(once?.text() ?? null);
      }),
    );
  });

  test('gives a password of its own: the one that it was made of stays as it is', () => {
    const password = Secret.fromText('abc');
    const made = rewrite(filter({}), password);
    made?.destroy();
    expect(password.text()).toBe('abc');
  });

  test.each<[string, object, string]>([
    ['that puts in what it does not allow', { allowed: 'a-z', replaceWith: '-' }, 'replaceWith'],
    ['that puts in a letter of the other case', { case: 'upper', replaceWith: 'x' }, 'replaceWith'],
    ['that puts in two characters', { replaceWith: '--' }, 'replaceWith'],
    ['that leaves less than it asks for', { minLength: 9, maxLength: 8 }, 'minLength'],
  ])('%s is refused', (_title, said, field) => {
    const issues = passwordFilterSchema.safeParse(said).error?.issues ?? [];
    expect(issues.map(({ path }) => path[0])).toContain(field);
  });
});

describe('what a filter costs', () => {
  const rules = rulesOf(policyRulesSchema.parse({ minLength: 15 }));

  test.each<[string, Partial<PasswordFilter>, string | null]>([
    ['nothing, where it only keeps control characters out', { allowed: ' -~' }, null],
    ['nothing, where it cuts off what no shortest password has', { maxLength: 15 }, null],
    [
      'a bit a letter, in one case',
      { case: 'lower' },
      'of about 98 bits of 15 random characters, 90 are left',
    ],
    ['more than half, on a mainframe', mainframe, '98 bits of 15 random characters, 41 are left'],
    [
      'nearly all, as a PIN',
      { allowed: '0-9', maxLength: 4 },
      '98 bits of 15 random characters, 5 are left',
    ],
    [
      'all, where everything is replaced',
      { allowed: '.', replaceWith: '.' },
      '98 bits of 15 random characters, 0 are left',
    ],
  ])('%s', (_title, said, expected) => {
    const says = weakens(filter(said), rules);
    if (expected === null) expect(says).toBeNull();
    else expect(says).toContain(expected);
  });
});
