import fc from 'fast-check';
import { codeOf, readCode } from '../../../model/people/one-time-link';

describe('the code of a one-time link', () => {
  test('is read in the way in which people type it', () => {
    const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(bytes, (random) => {
        const code = codeOf(random);
        expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/);
        const typed = code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o');
        expect([readCode(code), readCode(typed), readCode(code.replaceAll('-', ''))]).toEqual([
          code,
          code,
          code,
        ]);
      }),
    );
  });

  test.each(['', 'abcd', '0000-0000-0000-000', '0000-0000-0000-00000', '0000-0000-0000-000U', 'é'])(
    'is not "%s"',
    (text) => {
      expect(readCode(text)).toBeNull();
    },
  );
});
