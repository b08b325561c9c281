export type Digest = 'sha1' | 'sha256' | 'sha384' | 'sha512';

/** The algorithm and its costs: how the key of a hash is computed from password and salt. */
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
  /** `a`, `b` or `y`, which give the same key for passwords of up to 72 bytes. */
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

/** A stored hash, taken apart. */
export interface Hashed<Of extends Recipe = Recipe> {
  readonly recipe: Of;
  /** The salt in the bytes that the algorithm uses. */
  readonly salt: Buffer;
  readonly key: Buffer;
}

/** The way in which one scheme writes a hash as text. */
export interface Layout<Of extends Recipe = Recipe> {
  /** How such a text begins, for the reference pages. */
  readonly looks: string;
  /** The prefix that directories require before the text and other systems do not know. */
  readonly prefix?: string;
  /** @returns null when the text is not a valid hash of this scheme */
  read(text: string): Hashed<Of> | null;
  write(hashed: Hashed<Of>): string;
  /**
   * The recipe of the hashes that Lockstep makes: the costs of the OWASP Password Storage Cheat Sheet, if it names any.
   */
  readonly recipe: Of;
  /** Turns 16 bytes into the salt of a new hash. */
  salt(drawn: Buffer): Buffer;
  /** Why the scheme is weak; undefined for the others. */
  readonly weak?: string;
}

/** @returns null when the text is truncated, lacks its padding or has excess bits */
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

/** The text without the prefix with which it begins, in any case; the whole text when it begins with none. */
export function unprefixed(text: string, ...prefixes: readonly string[]): string {
  const prefix = prefixes.find((one) => text.slice(0, one.length).toUpperCase() === one) ?? '';
  return text.slice(prefix.length);
}
