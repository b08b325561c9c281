/**
 * The place of one record in the spool of a relay. A relay keeps its records in a sequence of segments, each with a
 * name that is never used again, and numbers the records of a segment from 1. The last ingested record therefore shows
 * where to continue, even after a restore on either side: an unknown segment is a new one, never an old name with other
 * records.
 */
export interface Position {
  readonly segment: string;
  readonly position: number;
}

export interface BatchFacts {
  /** The last record that was ingested; null before the first. */
  readonly cursor: Position | null;
  readonly segment: string;
  /** The last record before this segment, as the relay reports it; null when there was none. */
  readonly follows: Position | null;
  /** Number of the first record of the batch. */
  readonly from: number;
  readonly count: number;
}

export interface BatchDecision {
  /** Number of records at the start of the batch that were ingested before. */
  readonly skip: number;
  /** Number of records before the batch that are lost for good; null when that number is not known. */
  readonly missing: number | null;
}

/**
 * Finds the records of a batch that are new. Within a segment no record may be missing, because the relay still has it:
 * such a batch is a `gap`, and the relay has to send from the cursor on. Records missing before a new segment are lost,
 * and are reported.
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
