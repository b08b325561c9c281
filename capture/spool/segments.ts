import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { Position } from '../../model/captures/batch';
import { onWindows } from '../platform';
import { type Damage, encodeFrame, scanFrames } from './frames';

/** A file of the spool, `<order>-<name>.segment`. */
export interface Segment {
  /** Random name, unique across all relays. */
  readonly name: string;
  /** Increases with each segment of the spool. */
  readonly order: number;
  readonly file: string;
  /** Position of the last record before this segment; null if there was none. */
  readonly follows: Position | null;
  /** Position of its last record; 0 if it has none. */
  last: number;
  /** Length of the durable part of the file, in bytes. */
  bytes: number;
}

const FILE_NAME = /^(\d{12})-([0-9a-f]{32})\.segment$/;

export const isSegmentFile = (name: string): boolean => FILE_NAME.test(name);

const aboutSchema = z.object({
  follows: z.object({ segment: z.string(), position: z.int() }).nullable(),
});

/** Creates an empty segment file with its header record. It is durable when the promise resolves. */
export async function createSegment(
  dir: string,
  order: number,
  follows: Position | null,
): Promise<{ readonly segment: Segment; readonly handle: FileHandle }> {
  const name = randomBytes(16).toString('hex');
  const file = path.join(dir, `${String(order).padStart(12, '0')}-${name}.segment`);
  const about = encodeFrame({ position: 0, record: Buffer.from(JSON.stringify({ follows })) });
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.write(about);
    await handle.sync();
    await syncFolder(dir);
  } catch (error) {
    await handle.close();
    await rm(file);
    throw error;
  }
  return { segment: { name, order, file, follows, last: 0, bytes: about.length }, handle };
}

export interface SegmentContent {
  readonly segment: Segment;
  /** Whether the header record is intact. It is not if a crash cut the file at its very beginning. */
  readonly begun: boolean;
  /** Records by position; damaged records are missing. */
  readonly records: ReadonlyMap<number, Buffer>;
  readonly damage: readonly (Damage & { readonly bytes: Buffer })[];
}

export async function readSegment(file: string): Promise<SegmentContent> {
  const [, order = '', name = ''] = FILE_NAME.exec(path.basename(file)) ?? [];
  const content = await readFile(file);
  const { frames, damage } = scanFrames(content);
  const about = frames.find(({ position }) => position === 0);
  const records = new Map<number, Buffer>();
  for (const { position, record } of frames) if (position > 0) records.set(position, record);
  return {
    segment: {
      name,
      order: Number(order),
      file,
      follows: about === undefined ? null : followedBy(about.record),
      last: Math.max(0, ...records.keys()),
      bytes: content.length,
    },
    begun: about !== undefined,
    records,
    damage: damage.map(({ from, to }) => ({ from, to, bytes: content.subarray(from, to) })),
  };
}

const followedBy = (record: Buffer): Position | null =>
  aboutSchema.parse(JSON.parse(record.toString('utf8'))).follows;

/**
 * Makes the creation, renaming or removal of a file durable across a power failure. Windows cannot sync a folder; NTFS
 * journals names when a file is synced.
 */
export async function syncFolder(dir: string): Promise<void> {
  if (onWindows) return;
  const folder = await open(dir, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
