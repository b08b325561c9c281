import { type FileHandle, mkdir, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { Misconfigured } from '../../config';
import type { Position } from '../../model/relay';
import { encodeFrame } from './frames';
import {
  createSegment,
  isSegmentFile,
  readSegment,
  type Segment,
  type SegmentContent,
  syncFolder,
} from './segments';
import { openSetAside } from './set-aside';

/**
 * What was handed over and is not taken in yet: sealed records in segments, of which only the newest is written to. How
 * far the server has come is what the server says; nothing here is removed before it has.
 */
export interface Spool {
  /** Durable when it resolves; when it rejects, the record is not there. */
  append(record: Buffer): Promise<void>;
  /** The first records that are not taken in yet; null when there are none. */
  next(): Promise<Chunk | null>;
  /** The server has everything up to here. */
  takenIn(cursor: Position | null): Promise<void>;
  backlog(): number;
  setAside(): number;
  close(): Promise<void>;
}

export interface Chunk {
  readonly segment: string;
  readonly follows: Position | null;
  /** Of the first record. */
  readonly from: number;
  /** Null for one that is damaged. */
  readonly records: readonly (Buffer | null)[];
}

export interface SpoolLimits {
  /** Of all that waits; as much again may be set aside. */
  readonly maxBytes: number;
  /** Of a segment; a new one is begun for what comes then. */
  readonly segmentBytes: number;
  /** Of a chunk. */
  readonly chunkRecords: number;
  readonly chunkBytes: number;
}

interface Waiting {
  readonly record: Buffer;
  done(): void;
  failed(error: unknown): void;
}

export async function openSpool(dir: string, limits: SpoolLimits): Promise<Spool> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await refuseOthers(dir);
  const setAside = await openSetAside(path.join(dir, 'set-aside'), limits.maxBytes);
  const kept = await recover(dir, setAside);
  const segments = kept.map(({ segment }) => segment).filter(({ last }) => last > 0);
  let active = await begin();
  for (const { segment } of kept) if (segment.last === 0) await rm(segment.file);
  let cursor: Position | null = null;
  let waiting: Waiting[] = [];
  const inTurn = oneAtATime();

  /** A new segment for what comes. The old ones are only read from now on. */
  async function begin(): Promise<{ readonly segment: Segment; readonly handle: FileHandle }> {
    const before = segments.at(-1) ?? kept.findLast(({ begun }) => begun)?.segment;
    const order = Math.max(
      0,
      ...[...kept.map((one) => one.segment), ...segments].map((one) => one.order),
    );
    const begun = await createSegment(dir, order + 1, before === undefined ? null : endOf(before));
    segments.push(begun.segment);
    return begun;
  }
  async function rotate(): Promise<void> {
    const { handle } = active;
    active = await begin();
    await handle.close();
  }
  async function drop(gone: readonly Segment[]): Promise<void> {
    if (gone.length === 0) return;
    for (const segment of gone) {
      await rm(segment.file, { force: true });
      segments.splice(segments.indexOf(segment), 1);
    }
    await syncFolder(dir);
  }
  async function makeRoom(wanted: number): Promise<void> {
    const size = () => segments.reduce((sum, { bytes }) => sum + bytes, wanted);
    while (size() > limits.maxBytes && segments.some(({ last }) => last > 0)) {
      if (segments[0] === active.segment) await rotate();
      const [oldest] = segments.splice(0, 1);
      if (oldest !== undefined) await setAside.segment(oldest.file, oldest.last - doneIn(oldest));
    }
  }
  /** All that wait, with one write and one sync. */
  async function flush(): Promise<void> {
    const group = waiting;
    waiting = [];
    if (group.length === 0) return;
    try {
      const total = group.reduce((sum, { record }) => sum + record.length, 0);
      await makeRoom(total);
      if (active.segment.last > 0 && active.segment.bytes + total > limits.segmentBytes)
        await rotate();
      const { segment, handle } = active;
      const frames = group.map(({ record }, index) =>
        encodeFrame({ position: segment.last + 1 + index, record }),
      );
      await writeDurably(handle, segment, Buffer.concat(frames));
      segment.last += group.length;
      for (const { done } of group) done();
    } catch (error) {
      for (const { failed } of group) failed(error);
    }
  }
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

  const endOf = (segment: Segment): Position | null =>
    segment.last === 0 ? segment.follows : { segment: segment.name, position: segment.last };
  /** Segments that the server knows the end of come before the one that it is at. */
  const currentIndex = () =>
    Math.max(
      0,
      segments.findIndex(({ name }) => name === cursor?.segment),
    );
  const doneIn = ({ name }: Segment) => (name === cursor?.segment ? cursor.position : 0);

  return {
    append: (record) =>
      new Promise<void>((done, failed) => {
        waiting.push({ record, done, failed });
        void inTurn(flush);
      }),
    next: () =>
      inTurn(async () => {
        const segment = segments.slice(currentIndex()).find((one) => one.last > doneIn(one));
        if (segment === undefined) return null;
        return chunkOf(await readSegment(segment.file), segment, doneIn(segment) + 1, limits);
      }),
    takenIn: (reached) =>
      inTurn(async () => {
        cursor = reached;
        const { segment } = active;
        if (segment.last > 0 && doneIn(segment) >= segment.last) await rotate();
        const at = currentIndex();
        await drop(
          segments.filter(
            (one, index) =>
              one !== active.segment && (index < at || (one.last <= doneIn(one) && index === at)),
          ),
        );
      }),
    backlog: () =>
      segments
        .slice(currentIndex())
        .reduce((sum, one) => sum + Math.max(0, one.last - doneIn(one)), 0),
    setAside: setAside.count,
    close: () => inTurn(() => active.handle.close()),
  };
}

/** What an earlier process left, the oldest first. What is no record there is set aside. */
async function recover(
  dir: string,
  setAside: { damaged(file: string, from: number, bytes: Buffer): Promise<void> },
): Promise<readonly SegmentContent[]> {
  const names = (await readdir(dir)).filter(isSegmentFile).sort();
  const found: SegmentContent[] = [];
  for (const name of names) {
    const content = await readSegment(path.join(dir, name));
    for (const { from, bytes } of content.damage)
      await setAside.damaged(content.segment.file, from, bytes);
    found.push(content);
  }
  return found;
}

function chunkOf(
  { records }: SegmentContent,
  { name, follows, last }: Segment,
  from: number,
  { chunkRecords, chunkBytes }: SpoolLimits,
): Chunk {
  const chosen: (Buffer | null)[] = [];
  let bytes = 0;
  for (let at = from; at <= last && chosen.length < chunkRecords; at++) {
    const record = records.get(at) ?? null;
    bytes += record?.length ?? 0;
    if (chosen.length > 0 && bytes > chunkBytes) break;
    chosen.push(record);
  }
  return { segment: name, follows, from, records: chosen };
}

const OTHERS = 0o077;

async function refuseOthers(dir: string): Promise<void> {
  if (((await stat(dir)).mode & OTHERS) !== 0)
    throw new Misconfigured(`${dir} can be read by others: chmod go= it`);
}

/** Each begins when the one before has ended, whatever came of that. */
function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work, work);
    last = next.catch(() => {});
    return next;
  };
}
