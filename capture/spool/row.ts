import { type FileHandle, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Position } from '../../model/captures/batch';
import type { Quarantine } from './quarantine';
import { createSegment, isSegmentFile, readSegment, type Segment, syncFolder } from './segments';

/** The segments of a spool, the oldest first. Only the last one is written to, and by one process. */
export interface SegmentRow {
  readonly all: readonly Segment[];
  active(): Segment;
  /** A new one for what comes. */
  rotate(): Promise<void>;
  /** At the end of the active one; durable when it resolves, not there when it rejects. */
  write(bytes: Buffer): Promise<void>;
  remove(gone: readonly Segment[]): Promise<void>;
  /** It leaves the row; its file stays. */
  release(segment: Segment): void;
  close(): Promise<void>;
}

/** With what an earlier process left; what is no record there is set aside. */
export async function openRow(dir: string, quarantined: Quarantine): Promise<SegmentRow> {
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
 * Room for one more segment: a full disk must not keep those from being removed that are taken in, and the newest is only
 * removed when the next one is there.
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

/** What could not be made durable is cut off again: it was refused, so it must not be delivered. */
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
  /** Without a record. */
  readonly empty: readonly Segment[];
  /** The last record of all; null when there never was one. */
  readonly follows: Position | null;
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
  const order = Math.max(0, ...[...segments, ...empty].map((one) => one.order));
  return { segments, empty, follows, order };
}
