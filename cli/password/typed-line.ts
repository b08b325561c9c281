import { Secret } from '../../model/passwords/secret';
import { zeroableBytes } from '../../model/passwords/zeroable';

/** A line that is typed without being shown, kept in memory that is zeroed. */
export interface TypedLine {
  /**
   * Adds one typed byte, or edits the line. `accepted`: it is part of the line or has edited it. `ignored`: the key has no
   * meaning here, and adding it unseen would spoil the password. `ended`: return. `stopped`: Ctrl-C or Ctrl-D.
   */
  type(byte: number): 'accepted' | 'ignored' | 'ended' | 'stopped';
  /** Returns the line and clears it. The caller destroys the secret. */
  take(): Secret;
  /** Clears the line. */
  clear(): void;
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
  const bytes = zeroableBytes(LIMIT_BYTES);
  let length = 0;
  let keys: 'plain' | 'escape' | 'sequence' = 'plain';

  const truncate = (to: number) => {
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
          truncate(0);
          return 'accepted';
        case BACKSPACE:
        case DELETE:
          truncate(startOfLast(bytes, length));
          return 'accepted';
        case ESCAPE:
          keys = 'escape';
          return 'ignored';
        default:
          if (byte < SPACE || length === LIMIT_BYTES) return 'ignored';
          length = bytes.writeUInt8(byte, length);
          return 'accepted';
      }
    },
    take() {
      const secret = Secret.of(Buffer.from(bytes.subarray(0, length)));
      truncate(0);
      return secret;
    },
    clear: () => truncate(0),
  };
}

/** Arrow and function keys send ESC [ … letter or ESC O letter (ECMA-48 §5.4); Alt with another key sends ESC and the key. */
const nextKeys = (keys: 'escape' | 'sequence', byte: number) => {
  if (keys === 'escape') return byte === 0x5b || byte === 0x4f ? 'sequence' : 'plain';
  return byte >= 0x40 && byte <= 0x7e ? 'plain' : 'sequence';
};

/** The offset of the last character, which may have several bytes in UTF-8. */
function startOfLast(bytes: Buffer, length: number): number {
  let at = Math.max(0, length - 1);
  while (at > 0 && ((bytes[at] ?? 0) & 0xc0) === 0x80) at--;
  return at;
}
