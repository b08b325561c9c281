import { Secret } from '../../model/passwords/secret';

/** A line that somebody types without seeing it, byte by byte, in memory that is zeroed. */
export interface TypedLine {
  /**
   * `ignored`: the key means nothing here, and nobody would see that it became part of the password.
   * `stopped`: the person wants to leave.
   */
  type(byte: number): 'taken' | 'ignored' | 'ended' | 'stopped';
  /** What was typed; the line is forgotten. */
  take(): Secret;
  forget(): void;
}

const LIMIT_BYTES = 4096;

const CTRL_C = 0x03;
const CTRL_D = 0x04;
const BACKSPACE = 0x08;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const CTRL_U = 0x15;
const ESCAPE = 0x1b;
const SPACE = 0x20;
const DELETE = 0x7f;

export function createTypedLine(): TypedLine {
  const bytes = Buffer.alloc(LIMIT_BYTES);
  let length = 0;
  let keys: 'plain' | 'escape' | 'sequence' = 'plain';

  const shorten = (to: number) => {
    bytes.fill(0, to, length);
    length = to;
  };
  return {
    type(byte) {
      if (keys !== 'plain') {
        keys = nextKeys(keys, byte);
        return 'ignored';
      }
      switch (byte) {
        case NEWLINE:
        case RETURN:
          return 'ended';
        case CTRL_C:
        case CTRL_D:
          return 'stopped';
        case CTRL_U:
          shorten(0);
          return 'taken';
        case BACKSPACE:
        case DELETE:
          shorten(startOfLast(bytes, length));
          return 'taken';
        case ESCAPE:
          keys = 'escape';
          return 'ignored';
        default:
          if (byte < SPACE || length === LIMIT_BYTES) return 'ignored';
          length = bytes.writeUInt8(byte, length);
          return 'taken';
      }
    },
    take() {
      const secret = Secret.of(Buffer.from(bytes.subarray(0, length)));
      shorten(0);
      return secret;
    },
    forget: () => shorten(0),
  };
}

/** Arrows and function keys come as ESC [ … letter or ESC O letter (ECMA-48 §5.4), other keys with Alt as ESC key. */
const nextKeys = (keys: 'escape' | 'sequence', byte: number) => {
  if (keys === 'escape') return byte === 0x5b || byte === 0x4f ? 'sequence' : 'plain';
  return byte >= 0x40 && byte <= 0x7e ? 'plain' : 'sequence';
};

/** Of the last character, which takes several bytes in UTF-8. */
function startOfLast(bytes: Buffer, length: number): number {
  let at = Math.max(0, length - 1);
  while (at > 0 && ((bytes[at] ?? 0) & 0xc0) === 0x80) at--;
  return at;
}
