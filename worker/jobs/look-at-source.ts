import type { Connector } from '../../connectors/contract';
import type { Look } from '../../model/api/job-results';
import { noteChangedThere, readAccountsAfter } from '../../store/changes/stale';
import type { Database } from '../../store/database';

/** A question is one request: few at a time, so that the source has time for others. */
const AT_ONCE = 5;

/** Asks a source when the password of each linked account was last changed, so that uncaptured changes show as stale. */
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
