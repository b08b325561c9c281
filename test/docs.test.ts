import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { referencePages } from '../scripts/reference';
import { keepers, rules } from '../scripts/semantics';
import { pages, proseLines, readRepositoryFile } from './support/pages';

const root = path.resolve(__dirname, '..');

/** The files that the links of a page lead to, by their path from the root of the repository. */
const linksOf = (page: string): string[] =>
  [...readRepositoryFile(page).matchAll(/\]\((?!https?:)([^)#]*)[^)]*\)/g)].map(
    ([, target = '']) => (target === '' ? page : path.join(path.dirname(page), target)),
  );

test.each(Object.entries(referencePages))(
  'docs/%s is the page that "npm run docs" generates',
  (file, page) => {
    expect(readRepositoryFile(path.join('docs', file))).toBe(page());
  },
);

test.each(pages)('every link and every file name in %s leads to a file', (page) => {
  const files = [
    ...readRepositoryFile(page).matchAll(
      /`((?:activities|api|bench|blocklist|capture|cli|connectors|docs|intake|local|model|scripts|sealing|lookup|store|test|worker|workflows)\/[\w./-]+)`/g,
    ),
  ].map(([, file]) => file ?? '');
  const exists = (file: string) =>
    ['', '.ts', '.test.ts'].some((end) => existsSync(path.join(root, `${file}${end}`)));
  expect([...linksOf(page), ...files].filter((file) => !exists(file))).toEqual([]);
});

test.each(pages)('every link in %s to a heading leads to one', (page) => {
  const links = [...readRepositoryFile(page).matchAll(/\]\((?!https?:)([^)#]*)#([^)]+)\)/g)];
  const missing = links.filter(([, target = '', anchor = '']) => {
    const file = target === '' ? page : path.join(path.dirname(page), target);
    return !anchorsOf(readRepositoryFile(file)).includes(anchor);
  });
  expect(missing.map(([link]) => link)).toEqual([]);
});

/** The anchors that GitHub gives the headings of a page. */
const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

test('docs/README.md links every page, directly or through the README of its folder', () => {
  const index = 'docs/README.md';
  const linked = linksOf(index);
  const reached = linked.concat(
    linked.filter((page) => path.basename(page) === 'README.md').flatMap(linksOf),
  );
  const missing = pages.filter(
    (page) => page.startsWith('docs/') && page !== index && !reached.includes(page),
  );
  expect(missing).toEqual([]);
});

test.each(pages)('no line of prose in %s is longer than 120 characters', (page) => {
  const long = proseLines(readRepositoryFile(page)).flatMap((line, index) =>
    line !== null && line.length > 120 ? [`${page}:${index + 1}`] : [],
  );
  expect(long).toEqual([]);
});

const capturedSystems = readdirSync(path.join(root, 'docs/captures')).filter(
  (file) => !['README.md', 'protocol.md'].includes(file),
);

test.each(capturedSystems)('docs/captures/%s has steps, what to expect, and hazards', (file) => {
  const text = readRepositoryFile(path.join('docs/captures', file));
  const headings = [...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
  expect(headings).toEqual(['Steps', 'What to expect', 'Hazards']);
});

test('every page that the code names exists', () => {
  const folders = readdirSync(root, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && !/^(\.|node_modules$|dist$|docs$)/.test(entry.name),
  );
  const files = folders.flatMap(({ name }) =>
    readdirSync(path.join(root, name), { recursive: true })
      .map((file) => path.join(name, String(file)))
      .filter(
        (file) => /\.(ts|mjs|py|c|h)$/.test(file) && statSync(path.join(root, file)).isFile(),
      ),
  );
  expect(files.length).toBeGreaterThan(100);
  const missing = files.flatMap((file) =>
    [...readRepositoryFile(file).matchAll(/docs\/[\w./-]+\.md/g)]
      .filter(([page]) => !existsSync(path.join(root, page)))
      .map(([page]) => `${file}: ${page}`),
  );
  expect(missing).toEqual([]);
});

test('every rule is kept by a test, or states what is missing', () => {
  const kept = new Set(keepers(root).map(({ rule }) => rule));
  const unkept = Object.entries(rules).filter(
    ([rule, { missing }]) => missing === undefined && !kept.has(Number(rule)),
  );
  expect(unkept).toEqual([]);
  expect([...kept].filter((rule) => !Object.hasOwn(rules, rule))).toEqual([]);
});
