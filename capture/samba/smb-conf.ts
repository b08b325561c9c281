import { Misconfigured } from '../../config';

/**
 * The words of a setting in the section [global] of smb.conf(5). Names of sections and settings are case-insensitive, spaces in
 * names of settings are ignored, a line that ends in `\` continues on the next, and the last occurrence of a setting wins.
 * @returns null if [global] does not have the setting; an included file may have it
 */
export function wordsOf(text: string, setting: string): readonly string[] | null {
  const lines = text.split('\n');
  const at = lineOf(lines, setting);
  if (at === undefined) return null;
  const line = lines.slice(at, endOf(lines, at) + 1).join('\n');
  const value = line.slice(line.indexOf('=') + 1).replaceAll('\\\n', ' ');
  return value.split(/[\s,;]+/).filter((word) => word !== '');
}

/**
 * Adds a word to a setting in [global] and leaves every other line unchanged.
 * @throws Misconfigured if the file has no section [global]
 */
export function withWord(text: string, setting: string, word: string): string {
  const lines = text.split('\n');
  const at = lineOf(lines, setting);
  if (at !== undefined) {
    const end = endOf(lines, at);
    return lines.with(end, `${lines[end]?.trimEnd()} ${word}`).join('\n');
  }
  const global = lines.findIndex(isGlobal);
  if (global < 0) throw new Misconfigured('smb.conf has no section [global]: add one');
  return lines.toSpliced(global + 1, 0, `\t${setting} = ${word}`).join('\n');
}

function lineOf(lines: readonly string[], setting: string): number | undefined {
  let found: number | undefined;
  let inGlobal = false;
  for (let at = 0; at < lines.length; at = endOf(lines, at) + 1) {
    const line = lines[at] ?? '';
    if (/^\s*\[/.test(line)) inGlobal = isGlobal(line);
    else if (inGlobal && nameIn(line) === bare(setting)) found = at;
  }
  return found;
}

function endOf(lines: readonly string[], first: number): number {
  const end = lines.findIndex((line, at) => at >= first && !line.trimEnd().endsWith('\\'));
  return end < 0 ? lines.length - 1 : end;
}

const isGlobal = (line: string): boolean => /^\s*\[\s*global\s*\]/i.test(line);
const bare = (name: string): string => name.replace(/\s/g, '').toLowerCase();
/** The name of the setting in a line. A comment begins with `#` or `;`, so its name never equals that of a setting. */
const nameIn = (line: string): string | null =>
  line.includes('=') ? bare(line.slice(0, line.indexOf('='))) : null;
