import {
  closeSync,
  createReadStream,
  fsyncSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { HEADER_BYTES, headerOf, KEY_BYTES } from './format';
import { type LineReader, lineReader } from './lines';

export interface BuildRequest {
  /** File to read: `SHA1:count` lines of Have I Been Pwned in any order, or one password a line. */
  readonly from: string;
  /** Blocklist file to write. */
  readonly to: string;
  /** Hashes with a smaller count are left out. */
  readonly minCount: number;
  readonly onProgress: (progress: Progress) => void;
}

export interface Progress {
  /** Number of lines read so far. */
  readonly lines: number;
  /** Share of the file that was read, 0 to 1. */
  readonly read: number;
}

export interface Built {
  /** Number of lines read. */
  readonly lines: number;
  /** Number of distinct keys in the blocklist. */
  readonly keys: number;
}

/**
 * Builds a blocklist file and replaces an existing one in one step. It sorts in parts by the first byte of the key, so a list of
 * any size needs little memory. The parts are temporary files next to the result and need as much disk space.
 * @throws BadLine for a line that cannot be parsed, or an error of the file system
 */
export async function buildBlocklist(request: BuildRequest): Promise<Built> {
  const dir = mkdtempSync(`${path.resolve(request.to)}.parts-`);
  try {
    const parts = openParts(dir);
    const lines = await readLines(request, parts.add).finally(parts.close);
    const finished = path.join(dir, 'finished');
    const keys = joinParts(parts.files, finished);
    renameSync(finished, request.to);
    return { lines, keys };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** A line of the list cannot be parsed; the message names the file, the line and the reason. */
export class BadLine extends Error {}

const CHUNK_BYTES = 1 << 20;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

async function readLines(
  { from, minCount, onProgress }: BuildRequest,
  add: (key: number) => void,
): Promise<number> {
  const size = statSync(from).size;
  let read = 0;
  let lines = 0;
  let reader: LineReader | null = null;
  const addLine = (line: Buffer) => {
    lines++;
    const bare = line.at(-1) === RETURN ? line.subarray(0, -1) : line;
    if (bare.length === 0) return;
    try {
      reader ??= lineReader(bare);
      for (const key of reader(bare, minCount)) add(key);
    } catch (error) {
      throw new BadLine(`${from}: line ${lines} ${(error as Error).message}`);
    }
  };
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(from, { highWaterMark: CHUNK_BYTES })) {
    const bytes: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      addLine(bytes.subarray(start, end));
      start = end + 1;
    }
    rest = bytes.subarray(start);
    read += chunk.length;
    onProgress({ lines, read: read / size });
  }
  if (rest.length > 0) addLine(rest);
  return lines;
}

const PARTS = 256;
const PART_BUFFER = 8_192 * KEY_BYTES;
const FIRST_BYTE = 2 ** (8 * (KEY_BYTES - 1));

function openParts(dir: string) {
  const files = Array.from({ length: PARTS }, (_, index) => path.join(dir, String(index)));
  const parts = files.map((file) => ({
    file: openSync(file, 'w'),
    buffer: Buffer.alloc(PART_BUFFER),
    used: 0,
  }));
  const flush = (part: (typeof parts)[number]) => {
    writeSync(part.file, part.buffer, 0, part.used);
    part.used = 0;
  };
  return {
    files,
    add(key: number) {
      const part = parts[Math.floor(key / FIRST_BYTE)];
      if (part === undefined) return;
      if (part.used === PART_BUFFER) flush(part);
      part.used = part.buffer.writeUIntBE(key, part.used, KEY_BYTES);
    },
    close() {
      for (const part of parts) {
        flush(part);
        closeSync(part.file);
      }
    },
  };
}

/** Sorts each part and writes all of them to one file. @returns number of distinct keys */
function joinParts(files: readonly string[], to: string): number {
  const out = openSync(to, 'w');
  let count = 0;
  writeSync(out, headerOf(0));
  for (const file of files) {
    const keys = sortedKeys(readFileSync(file));
    rmSync(file);
    const bytes = Buffer.alloc(keys.length * KEY_BYTES);
    let used = 0;
    keys.forEach((key, at) => {
      if (at === 0 || key !== keys[at - 1]) used = bytes.writeUIntBE(key, used, KEY_BYTES);
    });
    writeSync(out, bytes, 0, used, HEADER_BYTES + count * KEY_BYTES);
    count += used / KEY_BYTES;
  }
  writeSync(out, headerOf(count), 0, HEADER_BYTES, 0);
  fsyncSync(out);
  closeSync(out);
  return count;
}

const sortedKeys = (bytes: Buffer): Float64Array =>
  Float64Array.from({ length: bytes.length / KEY_BYTES }, (_, at) =>
    bytes.readUIntBE(at * KEY_BYTES, KEY_BYTES),
  ).sort();
