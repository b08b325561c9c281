/** A table of GitHub Markdown. A cell may contain any text; its line breaks become spaces. */
export const table = (titles: readonly string[], rows: readonly (readonly string[])[]): string =>
  [titles, titles.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map(cell).join(' | ')} |`)
    .join('\n');

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

const LINE_LENGTH = 118;

/** Breaks long lines of prose between words. Tables, and `code` with spaces in it, stay on one line. */
export const wrapped = (text: string): string =>
  text
    .split('\n')
    .map((line) => (/^[|#<]/.test(line) ? line : wrappedLine(line)))
    .join('\n');

function wrappedLine(line: string): string {
  const indent = line.startsWith('- ') ? '  ' : '';
  const words = line.match(/(?:`[^`]*`|[^\s`])+/g) ?? [];
  const lines: string[] = [];
  let current = '';
  for (const word of words) {
    if (current !== '' && current.length + 1 + word.length > LINE_LENGTH) {
      lines.push(current);
      current = `${indent}${word}`;
    } else current = current === '' ? word : `${current} ${word}`;
  }
  return [...lines, current].join('\n');
}
