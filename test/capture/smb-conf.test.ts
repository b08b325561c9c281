import { withWord, wordsOf } from '../../capture/samba/smb-conf';
import { Misconfigured } from '../../config';

const SETTING = 'password hash gpg key ids';

describe('adding a word to a setting of smb.conf', () => {
  test.each([
    [
      'adds a missing setting below [global]',
      '# a comment\n[Global]\n\tworkgroup = AD\n[sysvol]\n\tpath = /x\n',
      `# a comment\n[Global]\n\t${SETTING} = NEW\n\tworkgroup = AD\n[sysvol]\n\tpath = /x\n`,
    ],
    [
      'appends to the existing words, however the setting is spelled',
      '[global]\nPasswordHash GPG key IDs=ONE, TWO  \nrealm = X\n',
      '[global]\nPasswordHash GPG key IDs=ONE, TWO NEW\nrealm = X\n',
    ],
    [
      'appends to the last line of a setting that continues over several lines',
      `[global]\n${SETTING} = ONE \\\n  TWO\nrealm = X\n`,
      `[global]\n${SETTING} = ONE \\\n  TWO NEW\nrealm = X\n`,
    ],
    [
      'changes the last of several settings, but no comment and no share',
      `[global]\n${SETTING} = ONE\n${SETTING} = TWO\n# ${SETTING} = NO\n;${SETTING} = NO\n[x]\n${SETTING} = NO\n`,
      `[global]\n${SETTING} = ONE\n${SETTING} = TWO NEW\n# ${SETTING} = NO\n;${SETTING} = NO\n[x]\n${SETTING} = NO\n`,
    ],
  ])('withWord %s and leaves all other lines unchanged', (_where, before, after) => {
    expect(withWord(before, SETTING, 'NEW')).toBe(after);
    expect(wordsOf(after, SETTING)).toContain('NEW');
  });

  test('withWord refuses a file without [global]', () => {
    expect(() => withWord('[share]\n', SETTING, 'NEW')).toThrow(Misconfigured);
  });
});

test('wordsOf returns the words of a setting in [global], and null if it is not set there', () => {
  expect(wordsOf(`[global]\n${SETTING} = ONE, TWO;THREE \\\n FOUR\n`, SETTING)).toEqual([
    ...['ONE', 'TWO', 'THREE', 'FOUR'],
  ]);
  expect(wordsOf(`[global]\nrealm = X\n[x]\n${SETTING} = ONE\n`, SETTING)).toBeNull();
});
