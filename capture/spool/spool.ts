import path from 'node:path';
import type { Position } from '../../model/captures/batch';
import { encodeFrame } from './frames';
import { openQuarantine } from './quarantine';
import { openSegmentList } from './segment-list';
import { readSegment, type Segment, type SegmentContent } from './segments';

/**
 * The captures that the server has not ingested yet: sealed records in segments, of which only the newest is written to.
 * A record is removed only after the server has reported a cursor at or after it.
 */
export interface Spool {
  /** Appends a record. It is durable when the promise resolves, and absent when it rejects. */
  append(record: Buffer): Promise<void>;
  /** The oldest records that the server has not ingested; null if there are none. */
  next(): Promise<Chunk | null>;
  /** Records that the server has ingested everything up to `cursor`, and removes those segments. */
  acknowledge(cursor: Position | null): Promise<void>;
  /** Number of records that the server has not ingested. */
  backlog(): number;
  /** Number of files in quarantine. */
  quarantined(): number;
  close(): Promise<void>;
}

/** Consecutive records of one segment, for one batch. */
export interface Chunk {
  /** Name of the segment. */
  readonly segment: string;
  /** Position of the last record before the segment; null if there was none. */
  readonly follows: Position | null;
  /** Position of the first record. */
  readonly from: number;
  /** The sealed records; null stands for a damaged one. */
  readonly records: readonly (Buffer | null)[];
}

export interface SpoolLimits {
  /** Maximum size of all segments; the quarantine may take the same size again. */
  readonly maxBytes: number;
  /** Size at which a new segment is started. */
  readonly segmentBytes: number;
  /** Maximum number of records in a chunk. */
  readonly chunkRecords: number;
  /** Maximum size of a chunk, in bytes; a chunk always holds at least one record. */
  readonly chunkBytes: number;
}

/** Maximum number of records that share one write and one sync. */
const MAX_IN_GROUP = 100;

interface PendingRecord {
  readonly record: Buffer;
  done(): void;
  failed(error: unknown): void;
}

/**
 * Opens the spool in `dir` and recovers what an earlier process left.
 * @param dir a folder that this process has locked (`lockSpool`)
 */
export async function openSpool(dir: string, limits: SpoolLimits): Promise<Spool> {
  const quarantined = await openQuarantine(path.join(dir, 'quarantine'), limits.maxBytes);
  const segments = await openSegmentList(dir, quarantined);
  const inTurn = oneAtATime();
  let cursor: Position | null = null;
  const pending: PendingRecord[] = [];

  const doneIn = ({ name }: Segment) => (name === cursor?.segment ? cursor.position : 0);
  /** Index of the segment that the server's cursor is in; 0 if the server knows none of them. */
  const current = () =>
    Math.max(
      0,
      segments.all.findIndex(({ name }) => name === cursor?.segment),
    );
  const toCome = () =>
    segments.all.slice(current()).filter((segment) => segment.last > doneIn(segment));

  /** Makes the pending records durable with one write and one sync. */
  async function flush(): Promise<void> {
    const group = pending.splice(0, MAX_IN_GROUP);
    try {
      if (group.length > 0) await append(group.map(({ record }) => record));
      for (const { done } of group) done();
    } catch (error) {
      for (const { failed } of group) failed(error);
    }
  }
  async function append(records: readonly Buffer[]): Promise<void> {
    const bytes = records.reduce((sum, { length }) => sum + length, 0);
    await makeRoom(bytes);
    const full = segments.active().bytes + bytes > limits.segmentBytes;
    if (full && segments.active().last > 0) await segments.rotate();
    const segment = segments.active();
    const first = segment.last + 1;
    await segments.write(
      Buffer.concat(
        records.map((record, index) => encodeFrame({ position: first + index, record })),
      ),
    );
    segment.last += records.length;
  }
  async function makeRoom(wanted: number): Promise<void> {
    const size = () => segments.all.reduce((sum, { bytes }) => sum + bytes, wanted);
    for (
      let [oldest] = segments.all;
      oldest !== undefined && size() > limits.maxBytes;
      [oldest] = segments.all
    ) {
      if (oldest === segments.active() && oldest.last === 0) return;
      if (oldest === segments.active()) await segments.rotate();
      await quarantined.segment(oldest.file, oldest.last - doneIn(oldest));
      segments.release(oldest);
    }
  }

  return {
    append: (record) =>
      new Promise<void>((done, failed) => {
        pending.push({ record, done, failed });
        void inTurn(flush);
      }),
    next: () =>
      inTurn(async () => {
        const [segment] = toCome();
        if (segment === undefined) return null;
        return chunkOf(await readSegment(segment.file), segment, doneIn(segment) + 1, limits);
      }),
    acknowledge: (reached) =>
      inTurn(async () => {
        cursor = reached;
        if (segments.active().last > 0 && doneIn(segments.active()) >= segments.active().last)
          await segments.rotate();
        const open = new Set([...toCome(), segments.active()]);
        await segments.remove(segments.all.filter((segment) => !open.has(segment)));
      }),
    backlog: () => toCome().reduce((sum, segment) => sum + segment.last - doneIn(segment), 0),
    quarantined: quarantined.count,
    close: () => inTurn(segments.close),
  };
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

/** Runs works one at a time: each starts when the one before has ended, whether that succeeded or failed. */
function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work, work);
    last = next.catch(() => {});
    return next;
  };
}
