/** A hashed password taken apart, and what the ways of writing one down have in common. */

export type Digest = 'sha1' | 'sha256' | 'sha384' | 'sha512';

/** How the key follows from password and salt. */
export type Recipe = Plain | DoubleSha1 | Pbkdf2 | Scram | ShaCrypt | Bcrypt | Scrypt | Argon2;

export interface Plain {
  readonly algorithm: 'digest';
  readonly digest: Digest;
}
export interface DoubleSha1 {
  readonly algorithm: 'double-sha1';
}
export interface Pbkdf2 {
  readonly algorithm: 'pbkdf2';
  readonly digest: Digest;
  readonly iterations: number;
}
export interface Scram {
  readonly algorithm: 'scram';
  readonly iterations: number;
}
export interface ShaCrypt {
  readonly algorithm: 'sha-crypt';
  readonly digest: 'sha256' | 'sha512';
  readonly rounds: number;
}
export interface Bcrypt {
  readonly algorithm: 'bcrypt';
  /** `a`, `b` or `y`: the same for passwords of 72 bytes and less. */
  readonly revision: string;
  readonly cost: number;
}
export interface Scrypt {
  readonly algorithm: 'scrypt';
  readonly log2N: number;
  readonly r: number;
  readonly p: number;
}
export interface Argon2 {
  readonly algorithm: 'argon2';
  readonly variant: 'argon2i' | 'argon2d' | 'argon2id';
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}

export interface Hashed<Of extends Recipe = Recipe> {
  readonly recipe: Of;
  /** As the algorithm takes it. */
  readonly salt: Buffer;
  readonly key: Buffer;
}

export interface Layout<Of extends Recipe = Recipe> {
  /** How one begins, for people. */
  readonly looks: string;
  /** A directory wants it before the text, other readers do not. */
  readonly prefix?: string;
  read(text: string): Hashed<Of> | null;
  write(hashed: Hashed<Of>): string;
  /** What Lockstep makes: the costs of the OWASP Password Storage Cheat Sheet, where it names some. */
  readonly recipe: Of;
  /** The salt of a new one, from 16 bytes. */
  salt(drawn: Buffer): Buffer;
  /** Why nobody should keep passwords so, although some do. */
  readonly weak?: string;
}

/** Null when it was cut short, has lost its padding or has bits too many. */
export function fromBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
}

const withoutPadding = (text: string): string => text.replace(/=+$/, '');
export const toBareBase64 = (bytes: Buffer): string => withoutPadding(bytes.toString('base64'));

export function fromBareBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return toBareBase64(bytes) === text ? bytes : null;
}

/** What follows one of the prefixes, in whatever case; all of the text where none does. */
export function unprefixed(text: string, ...prefixes: readonly string[]): string {
  const prefix = prefixes.find((one) => text.slice(0, one.length).toUpperCase() === one) ?? '';
  return text.slice(prefix.length);
}
