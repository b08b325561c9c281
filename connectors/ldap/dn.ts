import { foldCase } from '../../model/people/fold-case';

/**
 * The canonical form of a DN (RFC 4514), itself a DN: attribute types by one name in lower case, values without case and
 * without insignificant spaces, each character escaped in one way, the parts of a multi-valued RDN in one order.
 *
 * Values are compared by caseIgnoreMatch with the insignificant spaces of RFC 4518 §2.6.1. Look-alikes such as full-width
 * letters stay different, although RFC 4518 makes them the same: not every directory follows it there, and one that does
 * not may have an account for each.
 * @param exactTypes attribute types whose values differ by case
 * @returns the text itself if it is no DN
 */
export function canonicalDn(text: string, exactTypes: readonly string[] = []): string {
  const rdns = parsed(text);
  if (rdns === null) return text;
  const exact = new Set([...CASE_EXACT, ...exactTypes].map(canonicalType));
  return rdns
    .map((parts) =>
      parts
        .map(({ type, value }) => `${type}=${written(value, exact.has(type))}`)
        .sort()
        .join('+'),
    )
    .join(',');
}

/** Whether the text is the DN of an entry. */
export const isDn = (text: string): boolean => parsed(text) !== null;

/** Whether the DN is `base` or below it. Every DN is below the empty one. */
export function isWithin(dn: string, base: string): boolean {
  const [name, above] = [canonicalDn(dn), canonicalDn(base)];
  return above === '' || name === above || name.endsWith(`,${above}`);
}

/** One attribute and value of an RDN. A value that is no text is a BER encoding. */
interface Part {
  readonly type: string;
  readonly value: Buffer | { readonly ber: string };
}

/** Names of one attribute type; the first one is the canonical one. Sources: RFC 4519, RFC 2798, RFC 4524, RFC 2985. */
const aliases: readonly (readonly string[])[] = [
  ['cn', 'commonname', '2.5.4.3'],
  ['sn', 'surname', '2.5.4.4'],
  ['serialnumber', '2.5.4.5'],
  ['c', 'countryname', '2.5.4.6'],
  ['l', 'localityname', '2.5.4.7'],
  ['st', 'stateorprovincename', 's', '2.5.4.8'],
  ['street', 'streetaddress', '2.5.4.9'],
  ['o', 'organizationname', '2.5.4.10'],
  ['ou', 'organizationalunitname', '2.5.4.11'],
  ['title', '2.5.4.12'],
  ['description', '2.5.4.13'],
  ['name', '2.5.4.41'],
  ['givenname', 'gn', '2.5.4.42'],
  ['initials', '2.5.4.43'],
  ['generationqualifier', '2.5.4.44'],
  ['x500uniqueidentifier', '2.5.4.45'],
  ['dnqualifier', '2.5.4.46'],
  ['uid', 'userid', '0.9.2342.19200300.100.1.1'],
  ['mail', 'rfc822mailbox', '0.9.2342.19200300.100.1.3'],
  ['dc', 'domaincomponent', '0.9.2342.19200300.100.1.25'],
  ['uniqueidentifier', '0.9.2342.19200300.100.1.44'],
  ['email', 'emailaddress', 'pkcs9email', '1.2.840.113549.1.9.1'],
  ['employeenumber', '2.16.840.1.113730.3.1.3'],
  ['displayname', '2.16.840.1.113730.3.1.241'],
];

const canonicalTypes: ReadonlyMap<string, string> = new Map(
  aliases.flatMap((names) => names.map((name) => [name, names[0] ?? name] as const)),
);

/** Attribute types of standard schemas whose equality rule is case-exact (RFC 2307, the schema of MIT Kerberos). */
const CASE_EXACT = ['memberuid', 'homedirectory', 'loginshell', 'krbprincipalname'];

/** RFC 2253 §4 allows the prefix "OID." as in LDAPv2. */
function canonicalType(name: string): string {
  const lower = name.toLowerCase().replace(/^oid\./, '');
  return canonicalTypes.get(lower) ?? lower;
}

const TYPE = /\s*((?:oid\.)?\d+(?:\.\d+)*|[a-z][a-z0-9-]*)\s*=\s*/iy;
const HEX = /#((?:[0-9a-f]{2})+)/iy;
const QUOTED = /"((?:[^"\\]|\\.)*)"/suy;
/** A value as text, up to a separator that is not escaped. */
const PLAIN = /(?:[^\\,;+"<>]|\\.)*/suy;
/** A comma, or a semicolon as in LDAPv2 (RFC 2253 §4), separates RDNs; a plus separates the parts of one. */
const SEPARATOR = /\s*([,;+]|$)/y;

/** @returns null if the text is no DN, or the empty one */
function parsed(text: string): readonly (readonly Part[])[] | null {
  const rdns: Part[][] = [[]];
  let at = 0;
  const read = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };
  for (;;) {
    const type = read(TYPE)?.[1];
    if (type === undefined) return null;
    const value = valueFrom(read);
    const separator = read(SEPARATOR)?.[1];
    if (value === null || separator === undefined) return null;
    rdns.at(-1)?.push({ type: canonicalType(type), value });
    if (separator === '') return rdns;
    if (separator !== '+') rdns.push([]);
  }
}

function valueFrom(read: (pattern: RegExp) => RegExpExecArray | null): Part['value'] | null {
  const hex = read(HEX)?.[1];
  if (hex !== undefined) return textInBer(Buffer.from(hex, 'hex')) ?? { ber: hex.toLowerCase() };
  const quoted = read(QUOTED)?.[1];
  if (quoted !== undefined) return unescaped(quoted);
  const plain = read(PLAIN)?.[0] ?? '';
  // A value that begins with "#" is hexadecimal, or no value at all.
  return plain.startsWith('#') ? null : unescaped(plain);
}

const ESCAPE = /\\(?:([0-9a-f]{2})|([ "#+,;<=>\\])|(.|$))/giu;

/** @returns null if a backslash escapes what needs no escape (RFC 4514 §3) */
function unescaped(text: string): Buffer | null {
  const bytes: Buffer[] = [];
  let end = 0;
  for (const found of text.matchAll(ESCAPE)) {
    const [whole, pair, special] = found;
    bytes.push(Buffer.from(text.slice(end, found.index)));
    if (pair !== undefined) bytes.push(Buffer.from(pair, 'hex'));
    else if (special !== undefined) bytes.push(Buffer.from(special));
    else return null;
    end = found.index + whole.length;
  }
  return Buffer.concat([...bytes, Buffer.from(text.slice(end))]);
}

/** Tags of the BER types whose contents are the text itself: octet, UTF-8, printable, teletex and IA5 strings. */
const TEXTS: ReadonlySet<number | undefined> = new Set([0x04, 0x0c, 0x13, 0x14, 0x16]);

/** Returns the text of a BER encoding with a length of one byte; null for any other encoding. */
function textInBer(ber: Buffer): Buffer | null {
  const [tag, length] = ber;
  return TEXTS.has(tag) && length !== undefined && length < 0x80 && ber.length === length + 2
    ? ber.subarray(2)
    : null;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function written(value: Part['value'], isExact: boolean): string {
  if (!Buffer.isBuffer(value)) return `#${value.ber}`;
  let text: string;
  try {
    text = utf8.decode(value);
  } catch {
    return inPairs(value);
  }
  const prepared = composed(text)
    .replace(/^ +| +$/g, '')
    .replace(/ {2,}/g, ' ');
  return escaped(isExact ? prepared : foldCase(prepared));
}

/** Composes letters and accents (NFC), except the characters that composition would replace by one of ASCII. */
const composed = (text: string): string =>
  text.replace(/[^\u037e\u1fef\u212a]+/g, (part) => part.normalize('NFC'));

/** Escapes what RFC 4514 §2.4 requires, and control characters. */
const escaped = (text: string): string =>
  text.replace(/^#|["+,;<>\\\p{Cc}]/gu, (character) => inPairs(Buffer.from(character)));

const inPairs = (bytes: Buffer): string => bytes.toString('hex').replace(/../g, '\\$&');
