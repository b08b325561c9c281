import path from 'node:path';
import type { Position } from '../../model/captures/batch';
import { encodeFrame } from './frames';
import { openQuarantine } from './quarantine';
import { openRow } from './row';
import { readSegment, type Segment, type SegmentContent } from './segments';

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
  quarantined(): number;
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

/** So many are made durable together. */
const MOST_IN_GROUP = 100;

interface Waiting {
  readonly record: Buffer;
  done(): void;
  failed(error: unknown): void;
}

/** @param dir locked: see `lock.ts` */
export async function openSpool(dir: string, limits: SpoolLimits): Promise<Spool> {
  const quarantined = await openQuarantine(path.join(dir, 'quarantine'), limits.maxBytes);
  const row = await openRow(dir, quarantined);
  const inTurn = oneAtATime();
  let cursor: Position | null = null;
  const waiting: Waiting[] = [];

  const doneIn = ({ name }: Segment) => (name === cursor?.segment ? cursor.position : 0);
  /** Where the server is; at the first where it does not know any. */
  const current = () =>
    Math.max(
      0,
      row.all.findIndex(({ name }) => name === cursor?.segment),
    );
  const toCome = () => row.all.slice(current()).filter((one) => one.last > doneIn(one));

  /** All that wait, with one write and one sync. */
  async function flush(): Promise<void> {
    const group = waiting.splice(0, MOST_IN_GROUP);
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
    const full = row.active().bytes + bytes > limits.segmentBytes;
    if (full && row.active().last > 0) await row.rotate();
    const segment = row.active();
    const first = segment.last + 1;
    await row.write(
      Buffer.concat(
        records.map((record, index) => encodeFrame({ position: first + index, record })),
      ),
    );
    segment.last += records.length;
  }
  async function makeRoom(wanted: number): Promise<void> {
    const size = () => row.all.reduce((sum, { bytes }) => sum + bytes, wanted);
    for (
      let [oldest] = row.all;
      oldest !== undefined && size() > limits.maxBytes;
      [oldest] = row.all
    ) {
      if (oldest === row.active() && oldest.last === 0) return;
      if (oldest === row.active()) await row.rotate();
      await quarantined.segment(oldest.file, oldest.last - doneIn(oldest));
      row.release(oldest);
    }
  }

  return {
    append: (record) =>
      new Promise<void>((done, failed) => {
        waiting.push({ record, done, failed });
        void inTurn(flush);
      }),
    next: () =>
      inTurn(async () => {
        const [segment] = toCome();
        if (segment === undefined) return null;
        return chunkOf(await readSegment(segment.file), segment, doneIn(segment) + 1, limits);
      }),
    takenIn: (reached) =>
      inTurn(async () => {
        cursor = reached;
        if (row.active().last > 0 && doneIn(row.active()) >= row.active().last) await row.rotate();
        const open = new Set([...toCome(), row.active()]);
        await row.remove(row.all.filter((segment) => !open.has(segment)));
      }),
    backlog: () => toCome().reduce((sum, one) => sum + one.last - doneIn(one), 0),
    quarantined: quarantined.count,
    close: () => inTurn(row.close),
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

/** Each begins when the one before has ended, whatever came of that. */
function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work, work);
    last = next.catch(() => {});
    return next;
  };
}
