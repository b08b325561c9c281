import { describeRun, withTables } from '../../bench/publish';
import { asMarkdown, asText } from '../../bench/table';
import { readRepositoryFile } from '../support/pages';

const numbers = {
  title: 'Rates',
  head: ['per second', 'side'],
  rows: [
    ['7.5', 'Lockstep'],
    ['120.0', 'bare loop'],
  ],
  textFrom: 1,
};

test('publishing replaces the tables of its part and keeps the text of the page', () => {
  const page = [
    'Before.',
    '<!-- tables: embedded -->',
    'old',
    '<!-- end: embedded -->',
    'After.',
    '<!-- tables: captures -->',
    'kept',
    '<!-- end: captures -->',
  ];
  const published = withTables(page.join('\n'), 'embedded', 'new\n');
  expect(published).toBe(page.join('\n').replace('old', 'new'));
});

test('publishing fails when the page has no place for the tables', () => {
  expect(() => withTables('Text.', 'embedded', 'new')).toThrow('docs/performance.md has no lines');
});

test.each(['embedded', 'captures'] as const)(
  'docs/performance.md has a place for the tables of %s',
  (part) => {
    expect(withTables(readRepositoryFile('docs/performance.md'), part, 'new')).toContain('new');
  },
);

test('a published run names its machine and marks a quick run as not a measurement', () => {
  expect(describeRun(false, 0.5)).toMatch(/cores .*load 0\.5 .*Node \d+\.\d+\.\d+\.$/);
  expect(describeRun(true, 0.5)).toContain('not a measurement');
});

test('a table is aligned as text, and complete as Markdown', () => {
  expect(asText([numbers])).toBe(
    'Rates\n  per second  side\n         7.5  Lockstep\n       120.0  bare loop\n',
  );
  expect(asMarkdown([numbers])).toBe(
    'Rates:\n\n| per second | side |\n| --- | --- |\n| 7.5 | Lockstep |\n| 120.0 | bare loop |\n',
  );
});
