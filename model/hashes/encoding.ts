import type { Secret } from '../passwords/secret';
import { argon2, bcrypt, scrypt, shaCrypt } from './crypt-layouts';
import {
  bareDigest,
  djangoPbkdf2,
  ldapPbkdf2,
  mysqlNative,
  saltedDigest,
  scram,
} from './digest-layouts';
import type { Hashed, Layout } from './layout';

/**
 * The hash schemes that Lockstep knows, strongest first. This file reads and writes stored hashes; computing one from a
 * password takes time, and is in `connectors/encodings.ts`.
 */
const layouts = {
  argon2: argon2(),
  scrypt: scrypt(),
  bcrypt: bcrypt(),
  'pbkdf2-sha512': ldapPbkdf2('{PBKDF2-SHA512}', 'sha512', 210_000),
  'pbkdf2-sha256': ldapPbkdf2('{PBKDF2-SHA256}', 'sha256', 600_000),
  'django-pbkdf2-sha256': djangoPbkdf2(600_000),
  'pbkdf2-sha1': ldapPbkdf2('{PBKDF2-SHA1}', 'sha1', 1_300_000, '{PBKDF2}'),
  'sha512-crypt': shaCrypt('6', 'sha512', 86),
  'sha256-crypt': shaCrypt('5', 'sha256', 43),
  'scram-sha-256': scram(),
  ssha512: saltedDigest('{SSHA512}', 'sha512'),
  ssha384: saltedDigest('{SSHA384}', 'sha384'),
  ssha256: saltedDigest('{SSHA256}', 'sha256'),
  ssha: saltedDigest('{SSHA}', 'sha1'),
  sha: bareDigest(),
  'mysql-native': mysqlNative(),
} as const satisfies Record<string, Layout>;

export type Scheme = keyof typeof layouts;

export const schemes = Object.keys(layouts) as [Scheme, ...Scheme[]];

export const layoutOf = (scheme: Scheme): Layout => layouts[scheme];

/** The form of a password: the password itself (`plaintext`), or a hash of a scheme. */
export type Form = 'plaintext' | Scheme;

export const forms: readonly [Form, ...Form[]] = ['plaintext', ...schemes];

export interface Encoded extends Hashed {
  readonly scheme: Scheme;
}

/** Maximum length in characters: longer than every known hash, and short enough for the regular expressions. */
const LONGEST = 1_024;

/** @returns null when the text is of no known scheme, is malformed, or asks for more work than a login may */
export function readEncoded(text: string): Encoded | null {
  if (text.length > LONGEST) return null;
  for (const scheme of schemes) {
    const hashed = layoutOf(scheme).read(text);
    if (hashed !== null) return { scheme, ...hashed };
  }
  return null;
}

/** `readEncoded` for a Secret. Unlike a password, a hash may stay in memory as a string. */
export const readSecret = (value: Secret): Encoded | null =>
  readEncoded(value.use((bytes) => bytes.toString('latin1')));

/** The canonical text of a hash, with the prefix for directories: equal hashes have equal texts. */
export const writeEncoded = ({ scheme, ...hashed }: Encoded): string => {
  const { prefix = '', write } = layoutOf(scheme);
  return `${prefix}${write(hashed)}`;
};

/**
 * Compares a stored hash, in any spelling of its scheme, with another one.
 * @param hash the canonical text of the other hash
 */
export function isSameHash(stored: string, hash: string): boolean {
  const encoded = readEncoded(stored);
  return encoded !== null && writeEncoded(encoded) === hash;
}

/** The text of a hash for systems other than directories, which do not know the prefix. */
export function withoutPrefix(scheme: Scheme, encoded: string): string {
  const { prefix = '' } = layoutOf(scheme);
  return encoded.startsWith(prefix) ? encoded.slice(prefix.length) : encoded;
}
