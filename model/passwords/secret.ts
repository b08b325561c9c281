import { timingSafeEqual } from 'node:crypto';
import { inspect } from 'node:util';

const refuse = (how: string): never => {
  throw new TypeError(`A Secret cannot be turned into ${how}`);
};

/**
 * The bytes of a password (UTF-8) or a key. It throws wherever JavaScript would turn it into text, so that a mistake
 * fails loudly instead of leaking the password, or of setting a password to "[object Object]".
 *
 * The code that creates a Secret destroys it. Strings cannot be zeroed, so `text()` is only for drivers that accept
 * nothing else.
 */
export class Secret {
  readonly #bytes: Buffer;
  #destroyed = false;

  private constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Takes ownership of `bytes`: they are zeroed by `destroy()`. */
  static of(bytes: Buffer): Secret {
    return new Secret(bytes);
  }

  static fromText(text: string): Secret {
    return new Secret(Buffer.from(text, 'utf8'));
  }

  /**
   * Lends the bytes for one call. Do not keep them.
   * @throws TypeError after `destroy()`
   */
  use<T>(reader: (bytes: Buffer) => T): T {
    if (this.#destroyed) throw new TypeError('This Secret is already destroyed');
    return reader(this.#bytes);
  }

  /** The password as a string, which cannot be zeroed: only for drivers that accept nothing else. */
  text(): string {
    return this.use((bytes) => bytes.toString('utf8'));
  }

  /** A Secret with a copy of the bytes, which has to be destroyed too. */
  copy(): Secret {
    return this.use((bytes) => new Secret(Buffer.from(bytes)));
  }

  /** Compares the bytes in constant time. */
  equals(other: Secret): boolean {
    return this.use((mine) =>
      other.use((theirs) => mine.length === theirs.length && timingSafeEqual(mine, theirs)),
    );
  }

  /** Zeroes the bytes. Every later use throws. */
  destroy(): void {
    this.#bytes.fill(0);
    this.#destroyed = true;
  }

  toString(): string {
    return refuse('a string');
  }

  toJSON(): string {
    return refuse('JSON');
  }

  [Symbol.toPrimitive](): string {
    return refuse('a string or number');
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}
