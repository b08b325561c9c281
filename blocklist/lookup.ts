import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Secret } from '../model/passwords/secret';
import { countIn, HEADER_BYTES, KEY_BYTES, KEYS, keysOf } from './format';

/** The file is not a complete blocklist; the message says what to do. */
export class BlocklistDamaged extends Error {}

/**
 * Whether a password is in the blocklist. A lookup takes a few small reads whatever the size of the file. The file is opened for
 * each lookup, so that it can be replaced at any time.
 * @throws BlocklistDamaged, or an error of the file system
 */
export async function isListed(file: string, password: Secret): Promise<boolean> {
  return reading(file, async (list) => {
    for (const key of keysOf(password)) if (await holds(list, key)) return true;
    return false;
  });
}

/** Checks samples across the whole file. @throws BlocklistDamaged, or an error of the file system */
export async function checkBlocklist(file: string): Promise<void> {
  await reading(file, async (list) => {
    let before = -1;
    for (let sample = 0; sample < SAMPLES; sample++)
      for (const key of await readKeys(list, Math.floor((list.count * sample) / SAMPLES), 8)) {
        if (key < before) throw damaged(file);
        before = key;
      }
  });
}

const SAMPLES = 64;

/** Number of keys in the 4 KiB that a disk reads at once. */
const WINDOW = Math.floor(4096 / KEY_BYTES);

interface Open {
  readonly file: string;
  readonly handle: FileHandle;
  readonly count: number;
}

async function reading<T>(file: string, body: (list: Open) => Promise<T>): Promise<T> {
  // Opening a pipe would wait for its writer.
  const handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw damaged(file);
    const header = Buffer.alloc(HEADER_BYTES);
    const { bytesRead } = await handle.read(header, 0, HEADER_BYTES, 0);
    const count = countIn(header.subarray(0, bytesRead));
    const { size } = stats;
    if (count === null || size !== HEADER_BYTES + count * KEY_BYTES) throw damaged(file);
    return await body({ file, handle, count });
  } finally {
    await handle.close();
  }
}

const damaged = (file: string): BlocklistDamaged =>
  new BlocklistDamaged(
    `${file} is not a complete blocklist: build it again with "lockstep blocklist build"`,
  );

/**
 * Searches for a key by interpolation: hashes are spread evenly, so the value of a key predicts its index, and each read narrows
 * the range. `low` and `high` bound the index, and `lowKey` and `highKey` enclose the key.
 */
async function holds(list: Open, key: number): Promise<boolean> {
  let [low, lowKey, high, highKey] = [0, -1, list.count, KEYS];
  while (low < high) {
    const guess = low + ((key - lowKey) / (highKey - lowKey)) * (high - low);
    const from = Math.max(low, Math.min(Math.floor(guess) - WINDOW / 2, high - WINDOW));
    const keys = await readKeys(list, from, Math.min(WINDOW, high - from));
    const [first = KEYS, last = -1] = [keys[0], keys.at(-1)];
    if (first <= lowKey || last >= highKey || last < first) throw damaged(list.file);
    if (key < first) [high, highKey] = [from, first];
    else if (key > last) [low, lowKey] = [from + keys.length, last];
    else return keys.includes(key);
  }
  return false;
}

async function readKeys(list: Open, from: number, wanted: number): Promise<number[]> {
  const count = Math.min(wanted, list.count - from);
  const bytes = Buffer.alloc(count * KEY_BYTES);
  const { bytesRead } = await list.handle.read(
    bytes,
    0,
    bytes.length,
    HEADER_BYTES + from * KEY_BYTES,
  );
  if (bytesRead < bytes.length) throw damaged(list.file);
  return Array.from({ length: count }, (_, at) => bytes.readUIntBE(at * KEY_BYTES, KEY_BYTES));
}
