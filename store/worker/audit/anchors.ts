import { createReadStream, existsSync, mkdirSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** The newest record of the audit chain at one time, noted outside the database. */
export interface Anchor {
  readonly at: Date;
  readonly position: number;
  readonly hash: Buffer;
}

/** A file outside the database to which a worker appends anchors. It may be on a volume that allows only that. */
export interface AnchorFile {
  append(anchor: Anchor): Promise<void>;
  /** The anchors in the order in which they were appended. Lines that are no anchor are skipped. */
  read(): AsyncIterable<Anchor>;
  /** The anchor that was appended last; null before the first. */
  last(): Promise<Anchor | null>;
}

/** Longer than the last two lines, so that one that a power failure has cut off does not hide the one before. */
const TAIL_BYTES = 4096;

/** One line of JSON for each anchor. The file is created with the first one. */
export const openAnchorFile = (file: string): AnchorFile => ({
  async append({ at, position, hash }) {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    const line = JSON.stringify({ at, position, hash: hash.toString('hex') });
    const handle = await open(file, 'a+', 0o600);
    const tail = await tailOf(handle);
    await handle.write(`${tail === '' || tail.endsWith('\n') ? '' : '\n'}${line}\n`);
    await handle.sync();
    await handle.close();
  },
  async *read() {
    if (!existsSync(file)) return;
    for await (const line of createInterface({ input: createReadStream(file) })) {
      const anchor = anchorIn(line);
      if (anchor !== null) yield anchor;
    }
  },
  async last() {
    if (!existsSync(file)) return null;
    const handle = await open(file, 'r');
    const lines = (await tailOf(handle)).split('\n').reverse();
    await handle.close();
    return lines.map(anchorIn).find((anchor) => anchor !== null) ?? null;
  },
});

/** The last bytes of a file, as text. */
async function tailOf(handle: FileHandle): Promise<string> {
  const { size } = await handle.stat();
  const length = Math.min(size, TAIL_BYTES);
  const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length);
  return buffer.toString('utf8');
}

function anchorIn(line: string): Anchor | null {
  try {
    const { at, position, hash } = JSON.parse(line);
    const anchor = { at: new Date(at), position, hash: Buffer.from(hash, 'hex') };
    return Number.isInteger(position) && !Number.isNaN(anchor.at.getTime()) ? anchor : null;
  } catch {
    return null;
  }
}
