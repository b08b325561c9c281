import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { referencePages } from '../../scripts/reference';

const root = path.resolve(__dirname, '../..');

export const readRepositoryFile = (file: string): string =>
  readFileSync(path.join(root, file), 'utf8');

/** README.md, CONTRIBUTING.md and every page below docs/, by their path from the root of the repository. */
export const pages: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(path.join(root, 'docs'), { recursive: true })
    .map((file) => path.join('docs', String(file)))
    .filter((file) => file.endsWith('.md'))
    .sort(),
];

/** The pages that people write. The text of the others comes from the code, where it is checked. */
export const writtenPages = pages.filter(
  (page) => !Object.hasOwn(referencePages, path.relative('docs', page)),
);

/** The lines of a page that are prose: neither in a fenced block nor a row of a table; null for the others. */
export function proseLines(text: string): readonly (string | null)[] {
  let fenced = false;
  return text.split('\n').map((line) => {
    const fence = /^ *```/.test(line);
    if (fence) fenced = !fenced;
    return fence || fenced || line.startsWith('|') ? null : line;
  });
}
