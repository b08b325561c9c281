import { SaxesParser } from 'saxes';
import { withoutControls } from '../controls';
import { usage } from '../failure';
import { readTextFile } from '../files/read-text-file';

/** An element of a file of ENTSSO. Names are in lower case, because the pages of the vendor vary in case. */
export interface Element {
  readonly name: string;
  readonly line: number;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
  readonly children: readonly Element[];
}

/** Deeper than any file of ENTSSO, which has four levels. */
const MAX_DEPTH = 16;
const MAX_ELEMENTS = 200_000;

const passwordName = /pass|pwd|credential|secret/i;
/** Names of ENTSSO that look like a password and hold none. */
const harmlessNames = ['validatepassword', 'auditcredentiallookups', 'secretserver'];

/**
 * Reads a file of ENTSSO and returns the elements below its `sso`. The parser reads nothing but this text: a document
 * type is refused, and with it every entity that a file could define.
 * @throws Failure that names the line, and never quotes the text of an element
 */
export function readEntssoXml(file: string): readonly Element[] {
  const root = parsed(file, readTextFile(file));
  if (root.name !== 'sso')
    throw usage(`${file} is not a file of ENTSSO: its first element is not "sso".`);
  return root.children;
}

interface Open extends Element {
  text: string;
  children: Open[];
}

function parsed(file: string, text: string): Element {
  const parser = new SaxesParser({ xmlns: false });
  const refuse = (says: string): never => {
    throw usage(`Line ${parser.line} of ${file} ${says} Nothing was sent.`);
  };
  const open: Open[] = [];
  let count = 0;
  let root: Open | null = null;
  // The message of the parser may quote the text, so it is not shown.
  parser.on('error', () => refuse('is not well-formed XML.'));
  parser.on('doctype', () =>
    refuse('has a document type (DOCTYPE), which no file of ENTSSO needs. Remove it.'),
  );
  parser.on('xmldecl', ({ encoding = 'utf-8' }) => {
    if (!/^utf-?8$/i.test(encoding))
      refuse('declares another encoding than UTF-8. Save it as UTF-8, and declare that.');
  });
  parser.on('opentag', ({ name, attributes }) => {
    count++;
    if (count > MAX_ELEMENTS || open.length === MAX_DEPTH)
      refuse('has more elements than any file of ENTSSO.');
    const names = [name, ...Object.keys(attributes)];
    const secret = names.find(
      (one) => passwordName.test(one) && !harmlessNames.includes(one.toLowerCase()),
    );
    if (secret !== undefined)
      refuse(
        `has "${withoutControls(secret)}", which looks like a password. Lockstep reads no passwords from files. Remove it, and set credentials with "lockstep mappings set-credentials".`,
      );
    const element: Open = {
      name: name.toLowerCase(),
      line: parser.line,
      attributes: lowerCased(attributes, refuse),
      text: '',
      children: [],
    };
    open.at(-1)?.children.push(element);
    root ??= element;
    open.push(element);
  });
  parser.on('text', (part) => {
    const element = open.at(-1);
    if (element !== undefined) element.text += part;
  });
  parser.on('cdata', (part) => {
    const element = open.at(-1);
    if (element !== undefined) element.text += part;
  });
  parser.on('closetag', () => {
    const element = open.pop();
    if (element !== undefined) element.text = element.text.trim();
  });
  parser.write(text).close();
  if (root === null) throw usage(`${file} is empty.`);
  return root;
}

function lowerCased(
  attributes: Readonly<Record<string, string>>,
  refuse: (says: string) => never,
): Record<string, string> {
  const entries = Object.entries(attributes).map(([name, value]) => [name.toLowerCase(), value]);
  const lower = Object.fromEntries(entries);
  if (Object.keys(lower).length < entries.length) refuse('has an attribute twice.');
  return lower;
}

/** The text of the only child of this name; undefined if there is none. @throws Failure if there are several */
export function textOf(
  file: string,
  element: Element,
  ...names: readonly string[]
): string | undefined {
  const found = element.children.filter(({ name }) => names.includes(name));
  if (found.length > 1)
    throw usage(`Line ${found[1]?.line} of ${file} has "${names[0]}" a second time.`);
  return found[0]?.text === '' ? undefined : found[0]?.text;
}

/**
 * The value of an attribute that is `yes` or `no`; undefined if it is missing.
 * @throws Failure for any other value, which ENTSSO does not have
 */
export function yesOrNo(
  file: string,
  { attributes, line }: Element,
  name: string,
): boolean | undefined {
  const value = attributes[name]?.trim().toLowerCase();
  if (value === undefined) return undefined;
  if (value !== 'yes' && value !== 'no')
    throw usage(
      `Line ${line} of ${file} has a value of "${withoutControls(name)}" that is neither yes nor no. Nothing was sent.`,
    );
  return value === 'yes';
}
