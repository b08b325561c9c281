import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { referencePages } from '../scripts/reference';
import { keepers, rules } from '../scripts/semantics';

const root = path.resolve(__dirname, '..');
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(path.join(root, 'docs'), { recursive: true })
    .map((file) => path.join('docs', String(file)))
    .filter((file) => file.endsWith('.md')),
];
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');

test.each(Object.entries(referencePages))(
  'docs/%s is what the code says; otherwise: npm run docs',
  (file, page) => {
    expect(read(path.join('docs', file))).toBe(page());
  },
);

test.each(pages)('every link and every file that %s names is there', (page) => {
  const text = read(page);
  const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)].map(([, target]) =>
    path.join(path.dirname(page), target ?? ''),
  );
  const files = [
    ...text.matchAll(
      /`((?:model|connectors|store|activities|workflows|test|docs|scripts)\/[\w./-]+)`/g,
    ),
  ].map(([, file]) => file ?? '');
  const there = (file: string) =>
    ['', '.ts', '.test.ts'].some((end) => existsSync(path.join(root, `${file}${end}`)));
  expect([...links, ...files].filter((file) => !there(file))).toEqual([]);
});

test('every rule is kept by a test, or says what is missing', () => {
  const kept = new Set(keepers(root).map(({ rule }) => rule));
  const unkept = Object.entries(rules).filter(
    ([rule, { missing }]) => missing === undefined && !kept.has(Number(rule)),
  );
  expect(unkept).toEqual([]);
  expect([...kept].filter((rule) => !Object.hasOwn(rules, rule))).toEqual([]);
});
