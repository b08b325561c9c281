import { readdirSync } from 'node:fs';
import path from 'node:path';
import { readRepositoryFile, writtenPages } from './support/pages';
import { proseIn } from './support/prose';

const root = path.resolve(__dirname, '..');

/** Folders and files whose comments, strings and test titles (*.ts) are checked, next to every written page. */
const checkedCode: readonly string[] = [
  ...[
    'activities',
    'api',
    'bench',
    'blocklist',
    'capture',
    'cli',
    'connectors',
    'intake',
    'local',
    'lookup',
    'model',
  ],
  ...['scripts', 'sealing', 'store', 'test', 'worker', 'workflows'],
  ...['config.ts', 'described-error.ts', 'lifetime.ts', 'log.ts', 'log-output.ts', 'ops.ts'],
  ...['release.ts', 'start-errors.ts', 'uncaught.ts'],
];

/** Migrations keep the names that tables had, and this file quotes the words. */
const unchecked = /^store\/migrations\/|^test\/wording\.test\.ts$/;

/** Words and phrases that read oddly, and what to write instead. */
const oddWords: readonly (readonly [odd: RegExp, instead: string])[] = [
  [/\b(told|tells)\b/, 'reported, shown, returned, recorded'],
  [/\bwho(m)?ever\b/, 'the role: the caller, the client, the agent'],
  [
    /(?<!\buser\s)\b(nobody|somebody)\b/,
    'the actor, or a passive: no process, an operator, unlinked',
  ],
  [/\b(he|him|his|himself)\b/, 'they, it, the name of the role'],
  [/\banew\b/, 'again'],
  [/\bmeanwhile\b/, 'in the meantime'],
  [/\bbeside\b/, 'next to'],
  [/\bin vain\b/, 'unsuccessfully'],
  [/\b(come|comes|came) to nothing\b/, 'has no effect, is ignored'],
  [/\b(be|is|are|get|gets) rid of\b/, 'remove'],
  [/\b(to be|can be|be) had\b/, 'is available'],
  [/\bso (many|long|often)\b/, 'this many, as long as, the interval, the maximum'],
  [/\b(judge|judges|judged|judging)\b/, 'evaluate, check, classify'],
  [/\bheed(s|ed)?\b/, 'apply, acknowledge'],
  [/\berrands?\b/, 'job'],
  [/\bset(s|ting)? aside\b/, 'quarantine'],
  [/\b(is|are) content\b/, 'passes'],
  [/\b(made|makes?) a mistake\b/, 'internal error'],
  [/\b(say|says|said) (no|yes)\b/, 'rejects, accepts'],
  [/\b(is|are) believed\b/, 'is trusted'],
  [/\b(one|that|which|it) (is|are) none\b/, 'the positive: "not a valid hash"'],
  [/\bwho may not\b/, 'the role: an account that may not'],
  [/\b(pass|passes|passed) (it|them) by\b/, 'bypass'],
];

/** Each odd word in a text, with its line. */
const oddIn = (file: string, prose: readonly (readonly [line: number, text: string])[]): string[] =>
  prose.flatMap(([line, text]) =>
    oddWords.flatMap(([odd, instead]) => {
      const [found] = new RegExp(odd, 'i').exec(text) ?? [];
      return found === undefined ? [] : [`${file}:${line}: "${found}"; write: ${instead}`];
    }),
  );

/** The paragraphs of a page without its code, each with the number of its first line. */
function paragraphsOf(markdown: string): [line: number, text: string][] {
  const blank = (text: string) => text.replaceAll(/[^\n]/g, ' ');
  const prose = markdown
    .replaceAll(/^( *)```.*?^\1```/gms, blank)
    .replaceAll(/`[^`]*`/g, blank)
    .replaceAll(/\]\([^)]*\)/g, blank);
  let line = 1;
  return prose.split('\n\n').map((paragraph) => {
    const start = line;
    line += paragraph.split('\n').length + 1;
    return [start, paragraph.replaceAll(/\s+/g, ' ')];
  });
}

test.each(writtenPages)('%s has no odd words', (page) => {
  expect(oddIn(page, paragraphsOf(readRepositoryFile(page)))).toEqual([]);
});

const codeFiles = checkedCode.flatMap((target) =>
  target.endsWith('.ts')
    ? [target]
    : readdirSync(path.join(root, target), { recursive: true })
        .map((file) => path.join(target, String(file)))
        .filter((file) => file.endsWith('.ts')),
);

test.each(codeFiles.filter((file) => !unchecked.test(file)))(
  'the comments and texts of %s have no odd words',
  (file) => {
    expect(oddIn(file, proseIn(readRepositoryFile(file)))).toEqual([]);
  },
);

test('the check finds an odd word in a comment, a text and a title, also across a line break', () => {
  const code = [
    '/** It is told, but `nobody` is an account. */',
    "test('a change comes to nothing', () => {});",
    'const text = `in ${told} vain`; // so\n// many',
  ].join('\n');
  expect(oddIn('code', proseIn(code)).map((found) => found.split(';')[0])).toEqual([
    'code:1: "told"',
    'code:2: "comes to nothing"',
    'code:3: "so many"',
  ]);
  expect(oddIn('page', paragraphsOf('# Page\n\nIt comes\nto nothing. `told`')).length).toBe(1);
});
