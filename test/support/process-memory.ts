import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

const CHUNK_BYTES = 1 << 22;

/** Counts occurrences of the bytes in the writable memory of a process of the same user. Linux only. */
export function countInMemory(pid: number, needle: Buffer): number {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let count = 0;
  for (const [from, to] of writableRanges(pid))
    for (let at = from; at < to; at += CHUNK_BYTES - needle.length + 1) {
      const length = readUpTo(memory, chunk, Math.min(CHUNK_BYTES, to - at), at);
      const read = chunk.subarray(0, length);
      for (let found = read.indexOf(needle); found >= 0; found = read.indexOf(needle, found + 1))
        count++;
    }
  closeSync(memory);
  return count;
}

const writableRanges = (pid: number): [number, number][] =>
  readFileSync(`/proc/${pid}/maps`, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, from = '', to = ''] = /^(\w+)-(\w+) rw/.exec(line) ?? [];
      return from === '' ? [] : [[Number.parseInt(from, 16), Number.parseInt(to, 16)]];
    });

/** Reads a range of memory. A range that is gone or cannot be read counts as empty. */
function readUpTo(memory: number, into: Buffer, length: number, position: number): number {
  try {
    return readSync(memory, into, 0, length, position);
  } catch {
    return 0;
  }
}
