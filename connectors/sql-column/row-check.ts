import type { Finding } from '../contract';
import { codeOf, type SqlFailure } from '../sql/failures';
import type { SqlSession } from '../sql/sessions';
import type { Engine } from './engine';
import type { Rows } from './rows';

/** Lends a session of `lockstep doctor`. */
export type Use = <T>(work: (session: SqlSession) => Promise<T>) => Promise<T>;

/**
 * Updates the first row without changing it, and undoes that. A policy of row security, a trigger or a view can keep an
 * update from a row that the service account may read.
 */
export async function rowFindings(
  { dialect, failureOf }: Engine,
  rows: Rows,
  written: readonly string[],
  use: Use,
): Promise<readonly Finding[]> {
  const wrong = (says: string): Finding => ({ check: 'row', verdict: 'wrong', says });
  try {
    return await use(async (session) => {
      const [account] = await rows.after(session, null, 1);
      if (account === undefined) return [];
      await session.query(dialect.begin(REHEARSAL_MS));
      const changed = await rows.rehearseOn(session, account, written);
      await session.query('rollback');
      if (changed > 0) return [];
      return [
        wrong(
          'The service account can read the first row and its updates do not reach it. Check the row security policies of the table, and the rules of a view, for UPDATE.',
        ),
      ];
    });
  } catch (error) {
    const failure = failureOf(error);
    // A rule may reject the old password as a new one, and a lock of the row ends.
    if (!REFUSED.includes(failure.reason)) return [];
    return [
      wrong(
        `The database refuses an update of the first row${codeOf(failure)}. Look for the cause in its log: a trigger, a view or a generated column.`,
      ),
    ];
  }
}

const REHEARSAL_MS = 1_000;
const REFUSED: readonly SqlFailure['reason'][] = ['no_rights', 'not_supported', 'read_only'];
