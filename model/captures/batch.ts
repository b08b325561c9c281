/**
 * A relay keeps what it took in a row of segments, each with a name that nobody had before, and numbers the records of a
 * segment from 1. So the last record that was taken in tells where to go on, whatever became of either side: a segment
 * that the other does not know is another one, never the same with other records in it.
 */
export interface Position {
  readonly segment: string;
  readonly position: number;
}

export interface BatchFacts {
  /** The last record that was taken in; null before the first. */
  readonly cursor: Position | null;
  readonly segment: string;
  /** The last record before this segment, as the relay knows; null when there was none. */
  readonly follows: Position | null;
  /** Of the first record of the batch. */
  readonly from: number;
  readonly count: number;
}

export interface BatchDecision {
  /** So many at the start were taken in before. */
  readonly skip: number;
  /** Records that are missing before the batch, and will not come; null: nobody knows how many. */
  readonly missing: number | null;
}

/**
 * What of a batch is new. Within a segment nothing may be missing: the relay still has it, and has to begin where the
 * cursor is. What is missing before a new segment is gone, and is told.
 */
export function evaluateBatch(batch: BatchFacts): BatchDecision | 'gap' {
  const { cursor, segment, follows, from, count } = batch;
  if (cursor?.segment === segment) {
    if (from > cursor.position + 1) return 'gap';
    return { skip: Math.min(cursor.position + 1 - from, count), missing: 0 };
  }
  if (from !== 1) return 'gap';
  return { skip: 0, missing: missingBetween(cursor, follows) };
}

function missingBetween(cursor: Position | null, follows: Position | null): number | null {
  if (cursor === null && follows === null) return 0;
  if (follows === null || cursor?.segment !== follows.segment) return null;
  return Math.max(0, follows.position - cursor.position);
}
