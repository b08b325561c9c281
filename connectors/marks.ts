import { readEncoded } from '../model/hashes/encoding';

/**
 * What a stored password is, next to its hash. Applications that follow shadow(5) lock an account by a mark in front of
 * its hash, `!` as a rule, and unlock it by removing the mark. A mark without a hash shows that no password signs in, for
 * example of an account that signs in through another system (Django: `!` and random letters; shadow: `*`, `!!`, `*NP*`).
 */
export interface StoredPassword {
  /** The mark in front of the hash, which locks the account; empty if there is none. */
  readonly lock: string;
  /** The stored value without the mark; null if no password signs in. */
  readonly hash: string | null;
}

/** Solaris writes `*LK*`, Linux and BSD `!`, `!!` or `*`. */
const MARK = /^(?:\*LK\*|!+|\*+)/;

/** A hash of a scheme that Lockstep does not know begins like those of crypt(5) or LDAP. */
const LIKE_A_HASH = /^(?:\$|\{[\w./-]+\})/;

/** Reads a stored value. A value that Lockstep does not know is taken for a hash. */
export function readStored(stored: string): StoredPassword {
  const lock = MARK.exec(stored)?.[0] ?? '';
  // The hashes of MySQL begin with a star.
  if (lock === '' || readEncoded(stored) !== null) return { lock: '', hash: stored };
  const hash = stored.slice(lock.length);
  return { lock, hash: readEncoded(hash) !== null || LIKE_A_HASH.test(hash) ? hash : null };
}
