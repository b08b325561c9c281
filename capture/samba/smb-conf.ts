import { Misconfigured } from '../../config';

/**
 * Settings of smb.conf(5) that are lists of words. Names of sections and settings have no case, those of settings no blanks
 * either, a line that ends in `\` goes on in the next, and the last of several counts.
 */

/** @returns null when [global] does not have the setting: a file that it includes may */
export function wordsOf(text: string, setting: string): readonly string[] | null {
  const lines = text.split('\n');
  const at = lineOf(lines, setting);
  if (at === undefined) return null;
  const line = lines.slice(at, endOf(lines, at) + 1).join('\n');
  const value = line.slice(line.indexOf('=') + 1).replaceAll('\\\n', ' ');
  return value.split(/[\s,;]+/).filter((word) => word !== '');
}

/**
 * Adds a word, and leaves every other line as it is.
 * @throws Misconfigured when there is no [global]
 */
export function withWord(text: string, setting: string, word: string): string {
  const lines = text.split('\n');
  const at = lineOf(lines, setting);
  if (at !== undefined) {
    const end = endOf(lines, at);
    return lines.with(end, `${lines[end]?.trimEnd()} ${word}`).join('\n');
  }
  const global = lines.findIndex(isGlobal);
  if (global < 0) throw new Misconfigured('smb.conf has no section [global]');
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
/** A comment has none that is a setting's: it begins with `#` or `;`. */
const nameIn = (line: string): string | null =>
  line.includes('=') ? bare(line.slice(0, line.indexOf('='))) : null;
