import { type FileHandle, open } from 'node:fs/promises';
import type { Secret } from '../model/passwords/secret';
import { countIn, HEADER_BYTES, KEY_BYTES, KEYS, keysOf } from './format';

/** The file is no blocklist, or only a part of one; the message says what to do. */
export class BlocklistDamaged extends Error {}

/**
 * Whether the password is in the file, with a few small reads whatever its size. The file is opened anew each time, so
 * that another one can take its place.
 * @throws BlocklistDamaged, and what the file system says
 */
export async function isListed(file: string, password: Secret): Promise<boolean> {
  return reading(file, async (list) => {
    for (const key of keysOf(password)) if (await holds(list, key)) return true;
    return false;
  });
}

/** Looks at samples all over the file. @throws as `isListed` */
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

/** What a disk reads at once. */
const WINDOW = Math.floor(4096 / KEY_BYTES);

interface Open {
  readonly file: string;
  readonly handle: FileHandle;
  readonly count: number;
}

async function reading<T>(file: string, body: (list: Open) => Promise<T>): Promise<T> {
  const handle = await open(file, 'r');
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    const { bytesRead } = await handle.read(header, 0, HEADER_BYTES, 0);
    const count = countIn(header.subarray(0, bytesRead));
    const { size } = await handle.stat();
    if (count === null || size !== HEADER_BYTES + count * KEY_BYTES) throw damaged(file);
    return await body({ file, handle, count });
  } finally {
    await handle.close();
  }
}

const damaged = (file: string): BlocklistDamaged =>
  new BlocklistDamaged(
    `${file} is no whole blocklist: make it anew with "lockstep blocklist build"`,
  );

/**
 * Interpolation: hashes are spread evenly, so a key is near where its value says, and each look narrows it down. `low` and
 * `high` bound the places, and the keys at them enclose the one looked for.
 */
async function holds(list: Open, key: number): Promise<boolean> {
  let [low, lowKey, high, highKey] = [0, -1, list.count, KEYS];
  while (low < high) {
    const place = low + ((key - lowKey) / (highKey - lowKey)) * (high - low);
    const from = Math.max(low, Math.min(Math.floor(place) - WINDOW / 2, high - WINDOW));
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
