import type { Connector } from '../../connectors/contract';
import type { ErrorCode } from '../../model/errors';
import { noteChangedThere, readAccountsAfter } from '../../store/changes/stale';
import type { Database } from '../../store/database';

/** Asks a source of every linked account when its password was last changed, so that what nobody captured shows. */
export interface Look {
  /** Accounts that were asked for, and those of which the source told a time. */
  readonly read: number;
  readonly told: number;
  /** Why it ended early, if it did. */
  readonly failed: ErrorCode | null;
}

/** A question is one request: few at a time, so that the source has time for others. */
const AT_ONCE = 5;

export async function lookAtSource(
  db: Database,
  source: string,
  connector: Connector,
): Promise<Look> {
  let [read, told] = [0, 0];
  for (let after = ''; ; ) {
    const accounts = await readAccountsAfter(db, source, after, AT_ONCE);
    const answers = await Promise.all(
      accounts.map(async (account) => ({ ...account, answer: await connector.state({ account }) })),
    );
    const states = answers.flatMap(({ id, answer }) =>
      answer.result === 'state' ? [{ id, at: answer.passwordChangedAt }] : [],
    );
    await noteChangedThere(db, states);
    read += states.length;
    told += states.filter(({ at }) => at !== null).length;
    const failed = answers
      .map(({ answer }) => (answer.result === 'failed' ? answer.reason : null))
      .find((reason) => reason !== null && reason !== 'no_account');
    if (failed) return { read, told, failed };
    if (accounts.length < AT_ONCE) return { read, told, failed: null };
    after = accounts.at(-1)?.id ?? '';
  }
}
