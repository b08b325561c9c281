import { crc32 } from 'node:zlib';

/**
 * A segment is a file of frames. A frame is `LSR1`, the position of the record, its length, a CRC-32 over these two and the
 * record, and the record. A frame that a crash, a full disk or a bad sector damaged does not hide the frames after it.
 */
const MAGIC = Buffer.from('LSR1', 'ascii');
const HEAD_BYTES = 16;

export interface Frame {
  /** Position of the record in its segment, from 1; 0 is the segment's own header record. */
  readonly position: number;
  readonly record: Buffer;
}

/** A range of bytes of a segment file that is not a valid frame. */
export interface Damage {
  readonly from: number;
  readonly to: number;
}

export function encodeFrame({ position, record }: Frame): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  MAGIC.copy(head);
  head.writeUInt32BE(position, 4);
  head.writeUInt32BE(record.length, 8);
  head.writeUInt32BE(checksum(head, record), 12);
  return Buffer.concat([head, record]);
}

/** Finds every intact frame of a segment file, and the damaged ranges between them. */
export function scanFrames(content: Buffer): {
  readonly frames: readonly Frame[];
  readonly damage: readonly Damage[];
} {
  const frames: Frame[] = [];
  const damage: Damage[] = [];
  for (let at = 0; at < content.length; ) {
    const frame = frameAt(content, at);
    if (frame === null) {
      const next = nextFrame(content, at + 1);
      damage.push({ from: at, to: next });
      at = next;
    } else {
      frames.push(frame);
      at += HEAD_BYTES + frame.record.length;
    }
  }
  return { frames, damage };
}

/** The offset of the next intact frame, or the length of the file. */
function nextFrame(content: Buffer, from: number): number {
  let at = content.indexOf(MAGIC, from);
  while (at !== -1 && frameAt(content, at) === null) at = content.indexOf(MAGIC, at + 1);
  return at === -1 ? content.length : at;
}

function frameAt(content: Buffer, at: number): Frame | null {
  if (at + HEAD_BYTES > content.length || !content.subarray(at, at + 4).equals(MAGIC)) return null;
  const head = content.subarray(at, at + HEAD_BYTES);
  const end = at + HEAD_BYTES + head.readUInt32BE(8);
  if (end > content.length) return null;
  const record = content.subarray(at + HEAD_BYTES, end);
  if (head.readUInt32BE(12) !== checksum(head, record)) return null;
  return { position: head.readUInt32BE(4), record };
}

const checksum = (head: Buffer, record: Buffer): number =>
  crc32(record, crc32(head.subarray(4, 12)));
