import { withWord, wordsOf } from '../../capture/samba/smb-conf';
import { Misconfigured } from '../../config';

const SETTING = 'password hash gpg key ids';

describe('a word is added to a setting of smb.conf', () => {
  test.each([
    [
      'where there is none: below [global], and nothing else changes',
      '# a comment\n[Global]\n\tworkgroup = AD\n[sysvol]\n\tpath = /x\n',
      `# a comment\n[Global]\n\t${SETTING} = NEW\n\tworkgroup = AD\n[sysvol]\n\tpath = /x\n`,
    ],
    [
      'after those that are there, however the name is written',
      '[global]\nPasswordHash GPG key IDs=ONE, TWO  \nrealm = X\n',
      '[global]\nPasswordHash GPG key IDs=ONE, TWO NEW\nrealm = X\n',
    ],
    [
      'at the end of a line that goes on in the next',
      `[global]\n${SETTING} = ONE \\\n  TWO\nrealm = X\n`,
      `[global]\n${SETTING} = ONE \\\n  TWO NEW\nrealm = X\n`,
    ],
    [
      'to the last of several, which counts; not to a comment, nor to that of a share',
      `[global]\n${SETTING} = ONE\n${SETTING} = TWO\n# ${SETTING} = NO\n;${SETTING} = NO\n[x]\n${SETTING} = NO\n`,
      `[global]\n${SETTING} = ONE\n${SETTING} = TWO NEW\n# ${SETTING} = NO\n;${SETTING} = NO\n[x]\n${SETTING} = NO\n`,
    ],
  ])('%s', (_where, before, after) => {
    expect(withWord(before, SETTING, 'NEW')).toBe(after);
    expect(wordsOf(after, SETTING)).toContain('NEW');
  });

  test('not to a file without [global]', () => {
    expect(() => withWord('[share]\n', SETTING, 'NEW')).toThrow(Misconfigured);
  });
});

test('the words of a setting are those of [global]; null when it is not set there', () => {
  expect(wordsOf(`[global]\n${SETTING} = ONE, TWO;THREE \\\n FOUR\n`, SETTING)).toEqual([
    ...['ONE', 'TWO', 'THREE', 'FOUR'],
  ]);
  expect(wordsOf(`[global]\nrealm = X\n[x]\n${SETTING} = ONE\n`, SETTING)).toBeNull();
});
