import { type FileHandle, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Position } from '../../model/captures/batch';
import type { Quarantine } from './quarantine';
import { createSegment, isSegmentFile, readSegment, type Segment, syncFolder } from './segments';

/** The segments of a spool, oldest first. Only the last one is written to, by one process. */
export interface SegmentList {
  readonly all: readonly Segment[];
  /** The segment that new records are written to. */
  active(): Segment;
  /** Starts a new active segment. */
  rotate(): Promise<void>;
  /** Appends to the active segment. The bytes are durable when the promise resolves, and absent when it rejects. */
  write(bytes: Buffer): Promise<void>;
  /** Deletes the files of the segments and removes them from the list. */
  remove(gone: readonly Segment[]): Promise<void>;
  /** Removes the segment from the list and leaves its file alone. */
  release(segment: Segment): void;
  close(): Promise<void>;
}

/** Opens the segments that an earlier process left, quarantines damaged bytes, and starts a new active segment. */
export async function openSegmentList(dir: string, quarantined: Quarantine): Promise<SegmentList> {
  const { segments, empty, follows, order } = await recover(dir, quarantined);
  let next = order;
  const begin = async () => {
    const before = segments.at(-1);
    const begun = await createSegment(dir, ++next, before === undefined ? follows : endOf(before));
    segments.push(begun.segment);
    return begun;
  };
  const reserve = reserveIn(dir);
  let active = await begin();
  const remove = async (gone: readonly Segment[]) => {
    for (const { file } of gone) await rm(file, { force: true });
    if (gone.length > 0) await syncFolder(dir);
    for (const segment of gone) release(segment);
    await reserve.hold();
  };
  const release = (segment: Segment) => {
    const at = segments.indexOf(segment);
    if (at !== -1) segments.splice(at, 1);
  };
  await remove(empty);
  return {
    all: segments,
    active: () => active.segment,
    async rotate() {
      const { handle } = active;
      active = await begin().catch(async () => {
        await reserve.release();
        return begin();
      });
      await handle.close();
    },
    write: (bytes) => writeDurably(active.handle, active.segment, bytes),
    remove,
    release,
    close: () => active.handle.close(),
  };
}

const RESERVE_BYTES = 16 * 1024;

/**
 * Reserves disk space for one more segment. The active segment is removed only after the next one exists, so without the
 * reserve a full disk would keep delivered segments from being removed.
 */
function reserveIn(dir: string): { hold(): Promise<void>; release(): Promise<void> } {
  const file = path.join(dir, 'reserve');
  return {
    hold: () =>
      writeFile(file, Buffer.alloc(RESERVE_BYTES, 1), { mode: 0o600, flag: 'wx' }).catch(() => {}),
    release: () => rm(file, { force: true }),
  };
}

const endOf = (segment: Segment): Position | null =>
  segment.last === 0 ? segment.follows : { segment: segment.name, position: segment.last };

/** Writes and syncs. If that fails the bytes are cut off again: the relay refuses the records, so they must not be delivered. */
async function writeDurably(handle: FileHandle, segment: Segment, bytes: Buffer): Promise<void> {
  try {
    for (let at = 0; at < bytes.length; )
      at += (await handle.write(bytes, at, bytes.length - at, segment.bytes + at)).bytesWritten;
    await handle.datasync();
    segment.bytes += bytes.length;
  } catch (error) {
    await handle.truncate(segment.bytes);
    await handle.datasync();
    throw error;
  }
}

interface Recovered {
  readonly segments: Segment[];
  /** Segments without a record. */
  readonly empty: readonly Segment[];
  /** Position of the newest record of the spool; null if there never was one. */
  readonly follows: Position | null;
  /** Highest order number in use. */
  readonly order: number;
}

async function recover(dir: string, quarantined: Quarantine): Promise<Recovered> {
  const names = (await readdir(dir)).filter(isSegmentFile).sort();
  const segments: Segment[] = [];
  const empty: Segment[] = [];
  let follows: Position | null = null;
  for (const name of names) {
    const { segment, begun, damage } = await readSegment(path.join(dir, name));
    for (const { from, bytes } of damage) await quarantined.damaged(segment.file, from, bytes);
    (segment.last > 0 ? segments : empty).push(segment);
    if (begun || segment.last > 0) follows = endOf(segment);
  }
  const order = Math.max(0, ...[...segments, ...empty].map((segment) => segment.order));
  return { segments, empty, follows, order };
}
