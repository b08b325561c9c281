import { createHash } from 'node:crypto';
import { md4 } from './md4';

/**
 * Every encoding in which a leaked password could be stored, by name. If programs write an encoding in several ways, each is one
 * of the byte strings.
 */
export const forms = {
  'UTF-8': (text) => [Buffer.from(text)],
  'UTF-16LE': (text) => [Buffer.from(text, 'utf16le')],
  'UTF-16BE': (text) => [Buffer.from(text, 'utf16le').swap16()],
  'hex, lower case': (text) => [Buffer.from(hex(Buffer.from(text)))],
  'hex, upper case': (text) => [Buffer.from(hex(Buffer.from(text)).toUpperCase())],
  'base64 from a multiple of 3': (text) => [base64(text, 0)],
  'base64 from 1 after it': (text) => [base64(text, 1)],
  'base64 from 2 after it': (text) => [base64(text, 2)],
  base64url: (text) => [0, 1, 2].map((offset) => urlSafe(base64(text, offset))),
  URL: (text) => urls(text).map((url) => Buffer.from(url)),
  'URL twice': (text) => urls(text).map((url) => Buffer.from(url.replaceAll('%', '%25'))),
  'JSON \\u': (text) => jsons(text).map((json) => Buffer.from(json)),
  'HTML entity': (text) => entities(text).map((html) => Buffer.from(html)),
  'quoted-printable': (text) =>
    [/[ -<>-~]/, /[ -<>-~\n]/].map((kept) => Buffer.from(percent(text, kept, '='))),
  reversed: (text) => [Buffer.from([...text].reverse().join(''))],
  'SHA-1': (text) => digests(createHash('sha1').update(text).digest()),
  NTLM: (text) => digests(md4(Buffer.from(text, 'utf16le'))),
} as const satisfies Readonly<Record<string, (text: string) => readonly Buffer[]>>;

export type Form = keyof typeof forms;

const hex = (bytes: Buffer): string => bytes.toString('hex');

/** Base64 of the password between unknown bytes: only the characters that depend on no other byte. @param offset bytes before it */
function base64(text: string, offset: number): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(text)]);
  const from = Math.ceil((offset * 8) / 6);
  const to = Math.floor((bytes.length * 8) / 6);
  return Buffer.from(bytes.toString('base64').slice(from, to));
}

const urlSafe = (text: Buffer): Buffer =>
  Buffer.from(text.toString().replaceAll('+', '-').replaceAll('/', '_'));

/** Percent-encodes the UTF-8 bytes that are not in `kept`, with another sign if given. */
const percent = (text: string, kept: RegExp, sign = '%'): string =>
  [...Buffer.from(text)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return kept.test(character) ? character : `${sign}${hex(Buffer.of(byte)).toUpperCase()}`;
    })
    .join('');

const lowerEscapes = (text: string): string =>
  text.replace(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase());

/** URL encodings: as in JavaScript, as in RFC 3986, as in a form, and with every byte encoded. */
function urls(text: string): string[] {
  const strict = percent(text, /[\w.~-]/);
  const all = [
    encodeURIComponent(text),
    strict,
    strict.replaceAll('%20', '+'),
    percent(text, /^$/),
  ];
  return [...all, ...all.map(lowerEscapes)];
}

/** JSON strings: with minimal escapes, with all non-ASCII escaped, with every unit escaped, and JSON inside JSON. */
function jsons(text: string): string[] {
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  const minimal = JSON.stringify(text).slice(1, -1);
  const ascii = minimal.replace(/[^\x20-\x7e]/g, escaped);
  const all = [minimal, ascii, text.replace(/./gs, escaped)];
  const upper = all.map((json) =>
    json.replace(/\\u\w{4}/g, (it) => `\\u${it.slice(2).toUpperCase()}`),
  );
  const nested = JSON.stringify(minimal).slice(1, -1);
  return [...all, ...upper, nested];
}

const NAMED: Readonly<Record<string, string>> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot' };

/** HTML entities: of reserved characters by name or number, of non-ASCII or non-alphanumeric characters, and of everything. */
function entities(text: string): string[] {
  const decimal = (character: string) => `&#${character.codePointAt(0)};`;
  const hexadecimal = (character: string) => `&#x${character.codePointAt(0)?.toString(16)};`;
  const named = text.replace(/[&<>"]/g, (character) => `&${NAMED[character]};`);
  return [
    ...["'", '&#x27;', '&#39;', '&apos;'].map((quote) => named.replaceAll("'", quote)),
    ...[/[^ -~]/gu, /[^\w ]/gu, /./gsu].flatMap((replaced) => [
      text.replace(replaced, decimal),
      text.replace(replaced, hexadecimal),
    ]),
  ];
}

const digests = (digest: Buffer): Buffer[] => [
  digest,
  Buffer.from(hex(digest)),
  Buffer.from(hex(digest).toUpperCase()),
  Buffer.from(digest.toString('base64').replace(/=+$/, '')),
];
