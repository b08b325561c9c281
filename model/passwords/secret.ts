import { timingSafeEqual } from 'node:crypto';
import { inspect } from 'node:util';

const refuse = (how: string): never => {
  throw new TypeError(`A Secret cannot be turned into ${how}`);
};

/**
 * The bytes of a password (UTF-8) or a key. It throws wherever JavaScript would turn it into text, so that a
 * slip fails loudly instead of leaking, or of setting somebody's password to "[object Object]".
 *
 * Whoever creates a Secret destroys it. Strings cannot be zeroed, so `text()` is only for drivers that
 * take nothing else.
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

  /** Lends the bytes for the length of one call. Do not keep them. */
  use<T>(reader: (bytes: Buffer) => T): T {
    if (this.#destroyed) throw new TypeError('This Secret is already destroyed');
    return reader(this.#bytes);
  }

  /** The password as a string that nobody can zero: only for drivers that take nothing else. */
  text(): string {
    return this.use((bytes) => bytes.toString('utf8'));
  }

  /** Its own bytes, to be destroyed on their own. */
  copy(): Secret {
    return this.use((bytes) => new Secret(Buffer.from(bytes)));
  }

  equals(other: Secret): boolean {
    return this.use((mine) =>
      other.use((theirs) => mine.length === theirs.length && timingSafeEqual(mine, theirs)),
    );
  }

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
