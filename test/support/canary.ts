import { createReadStream } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import path from 'node:path';
import { createGunzip } from 'node:zlib';
import { type Form, forms } from './password-forms';

/** Searches files and texts of a run for secrets in every encoding. It reports secrets by name and never prints one. */
export interface Scanner {
  text(place: string, content: string | Uint8Array): void;
  file(place: string, file: string): Promise<void>;
  /** Searches every file of a folder and its subfolders. */
  folder(place: string, dir: string): Promise<void>;
  /** Number of searched bytes by place. */
  readonly searched: ReadonlyMap<string, number>;
  readonly findings: readonly Finding[];
}

export interface Finding {
  readonly secret: string;
  readonly form: Form;
  readonly place: string;
}

export const CHUNK_BYTES = 1 << 16;

/** Creates a scanner. @param secrets secrets by name, each of at least 12 bytes so that none is found by chance */
export function createScanner(secrets: Readonly<Record<string, string>>): Scanner {
  const needles = needlesOf(secrets);
  const find = searchFor(needles);
  const longest = Math.max(...needles.map(({ bytes }) => bytes.length));
  const searched = new Map<string, number>();
  const findings = new Map<string, Finding>();

  const look = (place: string, content: Buffer, newBytes: number) => {
    searched.set(place, (searched.get(place) ?? 0) + newBytes);
    if (isHole(content)) return;
    for (const { secret, form } of find(content))
      findings.set(`${secret} ${form} ${place}`, { secret, form, place });
  };
  const stream = async (place: string, chunks: AsyncIterable<Buffer>) => {
    let before = Buffer.alloc(0);
    for await (const chunk of chunks) {
      const content = Buffer.concat([before, chunk]);
      look(place, content, chunk.length);
      // A secret may begin in one chunk and end in the next.
      before = content.subarray(Math.max(0, content.length - longest + 1));
    }
  };
  const file = (place: string, name: string) =>
    unlessGone(async () => {
      const read = () => createReadStream(name, { highWaterMark: CHUNK_BYTES });
      await stream(place, read());
      if (await isGzip(name)) await stream(`${place} unpacked`, read().pipe(createGunzip()));
    });
  const folder = (place: string, dir: string): Promise<void> =>
    unlessGone(async () => {
      for (const entry of await readdir(dir, { withFileTypes: true })) {
        const [at, name] = [`${place}/${entry.name}`, path.join(dir, entry.name)];
        if (entry.isDirectory()) await folder(at, name);
        else if (entry.isFile()) await file(at, name);
      }
    });
  return {
    text: (place, content) => {
      const bytes = Buffer.from(content);
      look(place, bytes, bytes.length);
    },
    file,
    folder,
    searched,
    get findings() {
      return [...findings.values()];
    },
  };
}

interface Needle {
  readonly secret: string;
  readonly form: Form;
  readonly bytes: Buffer;
}

/** The byte strings to search for. If two encodings of a secret are the same bytes, the first gives the name. */
function needlesOf(secrets: Readonly<Record<string, string>>): Needle[] {
  const needles = new Map<string, Needle>();
  for (const [secret, text] of Object.entries(secrets))
    for (const [form, encode] of Object.entries(forms) as [Form, (text: string) => Buffer[]][])
      for (const bytes of encode(text)) {
        const key = bytes.toString('latin1');
        if (!needles.has(key)) needles.set(key, { secret, form, bytes });
      }
  return [...needles.values()];
}

const BLOCK_BYTES = 2;

/**
 * Searches for all needles in one pass (Wu and Manber, "A fast algorithm for multi-pattern searching", 1994): two bytes decide
 * how far the search can skip before any needle can end. A run has about a thousand needles and a hundred megabytes.
 */
function searchFor(needles: readonly Needle[]): (content: Buffer) => Set<Needle> {
  const window = Math.min(...needles.map(({ bytes }) => bytes.length));
  const shifts = new Uint16Array(1 << 16).fill(window - BLOCK_BYTES + 1);
  const endingIn = new Map<number, Needle[]>();
  for (const needle of needles) {
    for (let end = BLOCK_BYTES; end <= window; end++) {
      const block = needle.bytes.readUInt16BE(end - BLOCK_BYTES);
      shifts[block] = Math.min(shifts[block] ?? 0, window - end);
    }
    const last = needle.bytes.readUInt16BE(window - BLOCK_BYTES);
    endingIn.set(last, [...(endingIn.get(last) ?? []), needle]);
  }
  return (content) => {
    const found = new Set<Needle>();
    for (let end = window; end <= content.length; ) {
      const block = ((content[end - 2] ?? 0) << 8) | (content[end - 1] ?? 0);
      const shift = shifts[block] ?? 0;
      if (shift === 0)
        for (const needle of endingIn.get(block) ?? [])
          if (holdsAt(content, end - window, needle.bytes)) found.add(needle);
      end += Math.max(shift, 1);
    }
    return found;
  };
}

/** Whether a block holds only zeros. Databases allocate much more space than they fill. */
const isHole = (content: Buffer): boolean =>
  content[0] === 0 && content.subarray(1).equals(content.subarray(0, -1));

const holdsAt = (content: Buffer, at: number, needle: Buffer): boolean =>
  content.length - at >= needle.length &&
  content.compare(needle, 0, needle.length, at, at + needle.length) === 0;

async function isGzip(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer } = await handle.read(Buffer.alloc(3), 0, 3, 0);
    return buffer.equals(Buffer.of(0x1f, 0x8b, 0x08));
  } finally {
    await handle.close();
  }
}

/** Ignores a missing file, because running servers remove files during the search. */
async function unlessGone(read: () => Promise<void>): Promise<void> {
  try {
    await read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
