import type { Secret } from '../../model/passwords/secret';
import { zeroableBytes } from '../../model/passwords/zeroable';
import { secretFrom } from '../secret-copy';

/**
 * A capture as an agent hands it over to the relay (docs/captures/protocol.md). A message is its length (32 bits, big-endian)
 * followed by fields; a field is a letter, the length of the value, and the value. The answer is `+` or `-` and a word,
 * then a line feed.
 */
export interface HandedOver {
  /** The account as its source names it, for example a DN. */
  readonly account: string;
  readonly password: Secret;
  /** Whether `password` holds a hash as the source stores it, not the password in plain text. */
  readonly hashed: boolean;
  /** The previous password; null if the agent does not know it. */
  readonly current: Secret | null;
  /** Time of the change by the clock of the source; null means the time at which the relay receives it. */
  readonly capturedAt: Date | null;
  /** Identifies the change, so that a capture which is sent twice is recognized; null if the source has no such id. */
  readonly sequence: string | null;
}

export const LENGTH_BYTES = 4;
export const MAX_BYTES = 16 * 1024;

/** Why a relay refuses a capture: the word in its answer, and the sentence that the CLI shows. */
export const refusals = {
  malformed: 'The message does not follow the capture protocol: see docs/captures/protocol.md.',
  no_key:
    'The relay has not reached Lockstep yet and has no key to seal with: see the log of the relay.',
  not_durable:
    'The relay could not write the record to its spool: the disk is full or faulty. See the log of the relay.',
} as const;

export type HandOverRefusal = keyof typeof refusals;

const limits = { a: 1024, p: 4096, o: 4096, t: 16, s: 255, f: 4 } as const;
type Letter = keyof typeof limits;

const isLetter = (letter: string): letter is Letter => Object.hasOwn(limits, letter);

/**
 * Parses a message of the capture protocol. The caller zeroes `message` and destroys the secrets of the result.
 * @param message the message without its length
 * @returns null if the message is malformed. A field that this relay does not know also makes it malformed, because the
 *   field may change the meaning of the others
 */
export function parseMessage(message: Buffer): HandedOver | null {
  const fields = new Map<Letter, Buffer>();
  for (let at = 0; at < message.length; ) {
    const letter = String.fromCharCode(message[at] ?? 0);
    if (at + 1 + LENGTH_BYTES > message.length || !isLetter(letter)) return null;
    const from = at + 1 + LENGTH_BYTES;
    const end = from + message.readUInt32BE(at + 1);
    if (end > message.length || end - from > limits[letter] || end === from || fields.has(letter))
      return null;
    fields.set(letter, message.subarray(from, end));
    at = end;
  }
  return handedOver(fields);
}

const HASH = 'hash';
const MILLISECONDS = /^\d{1,15}$/;
const SEQUENCE = /^[!-~]+$/;

function handedOver(fields: ReadonlyMap<Letter, Buffer>): HandedOver | null {
  const [account, password] = [fields.get('a'), fields.get('p')];
  const time = fields.get('t')?.toString('latin1') ?? null;
  const sequence = fields.get('s')?.toString('latin1') ?? null;
  if (account === undefined || password === undefined) return null;
  const form = fields.get('f')?.toString('latin1') ?? null;
  if (form !== null && form !== HASH) return null;
  if (time !== null && !MILLISECONDS.test(time)) return null;
  if (sequence !== null && !SEQUENCE.test(sequence)) return null;
  const current = fields.get('o');
  return {
    account: account.toString('utf8'),
    password: secretFrom(password),
    hashed: form === HASH,
    current: current === undefined ? null : secretFrom(current),
    capturedAt: time === null ? null : new Date(Number(time)),
    sequence,
  };
}

/** Encodes a capture as a message, including its length. The caller zeroes the result. */
export function encodeMessage(capture: HandedOver): Buffer {
  const { account, password, hashed, capturedAt, sequence } = capture;
  return password.use((bytes) => {
    const fields: readonly (readonly [Letter, Buffer])[] = [
      ['a', Buffer.from(account)],
      ['p', bytes],
      ...(capturedAt === null ? [] : [['t', Buffer.from(String(capturedAt.getTime()))] as const]),
      ...(hashed ? [['f', Buffer.from(HASH)] as const] : []),
      ...(sequence === null ? [] : [['s', Buffer.from(sequence)] as const]),
    ];
    const total = fields.reduce((sum, [, value]) => sum + 1 + LENGTH_BYTES + value.length, 0);
    const message = zeroableBytes(LENGTH_BYTES + total);
    let at = message.writeUInt32BE(total);
    for (const [letter, value] of fields) {
      at = message.writeUInt8(letter.charCodeAt(0), at);
      at = message.writeUInt32BE(value.length, at);
      at += value.copy(message, at);
    }
    return message;
  });
}
