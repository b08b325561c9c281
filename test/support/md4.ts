/** MD4 (RFC 1320), the base of NTLM hashes, for which the canary tests search. OpenSSL 3 no longer has it. */

/** Order of the words of a block, rotations, and the constant of each of the three rounds (RFC 1320 §3.4). */
const rounds = [
  {
    words: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    shifts: [3, 7, 11, 19],
    constant: 0,
    mix: (b: number, c: number, d: number) => (b & c) | (~b & d),
  },
  {
    words: [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15],
    shifts: [3, 5, 9, 13],
    constant: 0x5a827999,
    mix: (b: number, c: number, d: number) => (b & c) | (b & d) | (c & d),
  },
  {
    words: [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15],
    shifts: [3, 9, 11, 15],
    constant: 0x6ed9eba1,
    mix: (b: number, c: number, d: number) => b ^ c ^ d,
  },
] as const;

type State = readonly [a: number, b: number, c: number, d: number];

const INITIAL: State = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
const BLOCK_BYTES = 64;

export function md4(message: Buffer): Buffer {
  const padded = padding(message);
  let state = INITIAL;
  for (let at = 0; at < padded.length; at += BLOCK_BYTES)
    state = withBlock(state, padded.subarray(at, at + BLOCK_BYTES));
  const digest = Buffer.alloc(16);
  for (const [index, word] of state.entries()) digest.writeUInt32LE(word >>> 0, index * 4);
  return digest;
}

/** Pads a message to whole blocks with a one bit, zeros, and the length in bits. */
function padding(message: Buffer): Buffer {
  const length = Math.ceil((message.length + 9) / BLOCK_BYTES) * BLOCK_BYTES;
  const padded = Buffer.alloc(length);
  message.copy(padded);
  padded[message.length] = 0x80;
  padded.writeBigUInt64LE(BigInt(message.length) * 8n, length - 8);
  return padded;
}

function withBlock(before: State, block: Buffer): State {
  let [a, b, c, d] = before;
  for (const { words, shifts, constant, mix } of rounds)
    words.forEach((word, step) => {
      const sum = (a + mix(b, c, d) + block.readUInt32LE(word * 4) + constant) | 0;
      const shift = shifts[step % 4] ?? 0;
      [a, b, c, d] = [d, (sum << shift) | (sum >>> (32 - shift)), b, c];
    });
  return [before[0] + a, before[1] + b, before[2] + c, before[3] + d];
}
