import { isUtf8 } from 'node:buffer';
import { usage } from '../failure';

/** An entry of an LDIF file. */
export interface LdifEntry {
  /** Line of the file in which the entry begins, counted from 1. */
  readonly line: number;
  readonly dn: string;
  /** The values of each attribute, by its name in lower case. Values that are no text are left out. */
  readonly attributes: ReadonlyMap<string, readonly string[]>;
}

interface Line {
  readonly number: number;
  readonly text: string;
}

/**
 * Reads the entries of an LDIF file (RFC 2849): folded lines, comments, base64 values. It never reads a URL.
 * @throws Failure with exit code 2 for a change record, and for a line that is not valid
 */
export function readLdif(text: string): LdifEntry[] {
  const records: Line[][] = [[]];
  for (const line of unfolded(text))
    if (line.text === '') records.push([]);
    else if (!line.text.startsWith('#')) records.at(-1)?.push(line);
  return records.map(withoutVersion).flatMap((lines) => (lines.length === 0 ? [] : [entry(lines)]));
}

/** Joins each line with the ones that continue it, which begin with a space. A comment may be folded, too. */
function unfolded(text: string): Line[] {
  const lines: { number: number; text: string }[] = [];
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const before = lines.at(-1);
    if (raw.startsWith(' ') && before !== undefined && before.text !== '')
      before.text += raw.slice(1);
    else lines.push({ number: index + 1, text: raw });
  }
  return lines;
}

const withoutVersion = (lines: Line[]): Line[] =>
  /^version:\s*1$/i.test(lines[0]?.text ?? '') ? lines.slice(1) : lines;

function entry([first, ...rest]: readonly Line[]): LdifEntry {
  const [name, dn] = first === undefined ? [] : pair(first);
  if (first === undefined || name !== 'dn' || typeof dn !== 'string' || dn === '')
    throw invalid(first?.number ?? 0, 'does not begin an entry with "dn:"');
  const attributes = new Map<string, string[]>();
  for (const line of rest) {
    const [attribute, value] = pair(line);
    if (attribute === 'changetype' || attribute === 'control')
      throw invalid(line.number, 'belongs to a change record; give a file of entries');
    const values = attributes.get(attribute) ?? [];
    attributes.set(attribute, value === null ? values : [...values, value]);
  }
  return { line: first.number, dn, attributes };
}

/** The name of the attribute in lower case, and its value; null for a value that is no text. */
function pair({ number, text }: Line): [name: string, value: string | null] {
  const [, name = '', kind, rest = ''] =
    /^([A-Za-z0-9][A-Za-z0-9.;-]*):([:<]?) *(.*)$/s.exec(text) ?? [];
  if (name === '') throw invalid(number, 'is not an attribute with a value');
  if (kind === '<') throw invalid(number, 'refers to a URL, which is not read');
  if (kind !== ':') return [name.toLowerCase(), rest];
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(rest.trim())) throw invalid(number, 'is not valid base64');
  const bytes = Buffer.from(rest, 'base64');
  return [name.toLowerCase(), isUtf8(bytes) ? bytes.toString('utf8') : null];
}

const invalid = (line: number, what: string) =>
  usage(`Line ${line} of the LDIF file ${what}. Nothing was imported.`);
