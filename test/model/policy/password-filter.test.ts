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
    ['a filter without rules leaves a password unchanged', {}, 'Größe 🔑', 'Größe 🔑'],
    ['a filter with case: upper writes capitals', { case: 'upper' }, 'Größe-1', 'GRÖSSE-1'],
    ['a filter with case: lower writes small letters', { case: 'lower' }, 'GRÖSSE-Σ', 'grösse-σ'],
    ['a filter removes characters that are not allowed', { allowed: 'a-z' }, 'a-b c🔑d', 'abcd'],
    [
      'a filter with replaceWith replaces characters that are not allowed',
      { allowed: 'a-z.', replaceWith: '.' },
      'a-b🔑',
      'a.b.',
    ],
    ['a filter cuts by code points, not by bytes', { maxLength: 3 }, '🔑é🔑é', '🔑é🔑'],
    [
      'a filter changes the case before it removes characters',
      { case: 'upper', allowed: 'A-Z' },
      'ab-c',
      'ABC',
    ],
    [
      'a filter removes characters before it cuts the length',
      { allowed: 'a-z', maxLength: 3 },
      '1a2b3c4d',
      'abc',
    ],
    ['the filter of a mainframe writes eight capitals', mainframe, 'correct horse', 'CORRECTH'],
    ['a filter that leaves nothing returns nothing', { allowed: 'a-z' }, '1234', null],
    [
      'a filter that leaves less than minLength returns nothing',
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

  test('filtering again changes nothing, whatever the filter and the password', () => {
    const password = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }));
    fc.assert(
      fc.property(anyFilter, password, (said, text) => {
        const once = rewrite(said, Secret.fromText(text));
        const twice = once === null ? null : rewrite(said, once);
        expect(twice?.text() ?? null).toBe(once?.text() ?? null);
      }),
    );
  });

  test('a filter returns a new Secret, and the original stays usable', () => {
    const password = Secret.fromText('abc');
    const made = rewrite(filter({}), password);
    made?.destroy();
    expect(password.text()).toBe('abc');
  });

  test.each<[string, object, string]>([
    [
      'a filter whose replaceWith it does not allow',
      { allowed: 'a-z', replaceWith: '-' },
      'replaceWith',
    ],
    [
      'a filter whose replaceWith is of the other case',
      { case: 'upper', replaceWith: 'x' },
      'replaceWith',
    ],
    ['a filter whose replaceWith is two characters', { replaceWith: '--' }, 'replaceWith'],
    [
      'a filter whose minLength is larger than its maxLength',
      { minLength: 9, maxLength: 8 },
      'minLength',
    ],
  ])('%s is refused', (_title, said, field) => {
    const issues = passwordFilterSchema.safeParse(said).error?.issues ?? [];
    expect(issues.map(({ path }) => path[0])).toContain(field);
  });
});

describe('the loss of strength by a filter', () => {
  const rules = rulesOf(policyRulesSchema.parse({ minLength: 15 }));

  test.each<[string, Partial<PasswordFilter>, string | null]>([
    ['a filter that removes only control characters loses nothing', { allowed: ' -~' }, null],
    ['a filter that cuts behind the minimum length loses nothing', { maxLength: 15 }, null],
    [
      'a filter to one case loses up to a bit a letter',
      { case: 'lower' },
      'of about 98 bits of 15 random characters, 90 are left',
    ],
    [
      'the filter of a mainframe loses more than half',
      mainframe,
      '98 bits of 15 random characters, 41 are left',
    ],
    [
      'a filter that leaves a PIN loses nearly all',
      { allowed: '0-9', maxLength: 4 },
      '98 bits of 15 random characters, 5 are left',
    ],
    [
      'a filter that replaces every character loses all',
      { allowed: '.', replaceWith: '.' },
      '98 bits of 15 random characters, 0 are left',
    ],
  ])('%s', (_title, said, expected) => {
    const says = weakens(filter(said), rules);
    if (expected === null) expect(says).toBeNull();
    else expect(says).toContain(expected);
  });
});
