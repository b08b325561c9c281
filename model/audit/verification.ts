/** The result of verifying the audit chain, as a worker stores it. Times are ISO 8601. */
export interface AuditVerification {
  readonly intact: boolean;
  /** The first and the last record that were verified; null if there is none. */
  readonly from: ChainPoint | null;
  readonly to: ChainPoint | null;
  /** The position from which on the records are chained with a key; null before a worker has made one. */
  readonly keyedFrom: number | null;
  /** The last record that was also compared with an anchor outside the database; null if none was. */
  readonly anchored: ChainPoint | null;
  /** Records older than a minute that no worker has chained. */
  readonly unchained: number;
  /** The first record that does not fit; null if the chain is intact. */
  readonly problem: ChainProblem | null;
}

export interface ChainPoint {
  readonly position: number;
  readonly at: string;
}

/**
 * What does not fit.
 * - `missing`: there is no record at this position, although there are later ones.
 * - `altered`: the record was changed, or was not chained by a worker of Lockstep.
 * - `key_missing`: the record is chained with a key that this worker does not have.
 * - `replaced`: the record is in the chain, but another one was there when the anchor was written.
 * - `ends_early`: the chain ends at this position, but it was longer when the anchor was written.
 */
export type ChainProblem =
  | { readonly code: 'missing' | 'altered'; readonly position: number }
  | { readonly code: 'key_missing'; readonly position: number; readonly key: string }
  | {
      readonly code: 'replaced';
      readonly position: number;
      readonly anchor: ChainPoint;
      /** The last record that fits an anchor; null if none does. */
      readonly fits: ChainPoint | null;
    }
  | { readonly code: 'ends_early'; readonly position: number; readonly anchor: ChainPoint };

/** What was verified, and what an operator does if something does not fit. */
export function verificationSays(result: AuditVerification): string {
  const { problem, unchained } = result;
  const late =
    unchained === 0
      ? ''
      : ` Records that are older than a minute and that no worker has chained: ${unchained}. Read the log of the workers.`;
  return `${rangeSays(result)}${problem === null ? '' : ` ${problemSays(problem)}`}${late}`;
}

function rangeSays({ from, to, keyedFrom, anchored, intact }: AuditVerification): string {
  if (from === null || to === null)
    return intact ? 'There is no audit record yet.' : 'No audit record could be verified.';
  const records = to.position === 1 ? '1 audit record' : `${to.position} audit records`;
  const range = `Verified ${records}, from ${from.at} to ${to.at}.`;
  const unkeyed =
    keyedFrom === null || keyedFrom === 1
      ? ''
      : ` Records before ${keyedFrom} are from a release that chained without a key; the key file holds the hash of the last of them.`;
  const anchors =
    anchored === null
      ? ' No anchor outside the database was compared yet.'
      : ` Anchored outside the database up to record ${anchored.position} of ${anchored.at}.`;
  return `${range}${unkeyed}${anchors}`;
}

const restored =
  'If you have restored the database from a backup since then, this is expected: move the anchor file away and keep it, and the next anchor begins a new file.';

function problemSays(problem: ChainProblem): string {
  switch (problem.code) {
    case 'missing':
      return `Record ${problem.position} is missing: the table audit was changed outside Lockstep. Compare it with a backup.`;
    case 'altered':
      return `Record ${problem.position} was altered: the table audit was changed outside Lockstep. Compare it with a backup.`;
    case 'key_missing':
      return `Record ${problem.position} is chained with the key ${problem.key}, which this worker does not have. Copy the folder audit/ of the key folder from the worker that has it, or from a backup.`;
    case 'ends_early':
      return `The chain ends at record ${problem.position}, but the anchor of ${problem.anchor.at} is record ${problem.anchor.position}: later records were removed. ${restored}`;
    case 'replaced':
      return `Record ${problem.position} is not the one that the anchor of ${problem.anchor.at} names: ${
        problem.fits === null
          ? 'no earlier record fits an anchor'
          : `records after ${problem.fits.position} (${problem.fits.at}) were replaced`
      }. ${restored}`;
  }
}
