import { accountProblems, type Connector } from '../../connectors/contract';
import type { Look } from '../../model/api/job-results';
import { isNews, isNoted } from '../../model/people/links';
import type { AccountRules } from '../../model/people/naming';
import { noteChangedThere, readAccountsAfter } from '../../store/changes/stale';
import type { Database } from '../../store/database';
import { learnAccount, noteProblem } from '../../store/people/links';

/**
 * Number of accounts that are asked for at the same time. Each is one request, and few at a time leave the source
 * capacity for others.
 */
const AT_ONCE = 5;

/** Failures that say nothing about the source, so that the other accounts are still asked for. */
const aboutTheAccount: ReadonlySet<string> = new Set(accountProblems);

/**
 * Asks a source for every linked account when its password was last changed, and records the times. The ids and names
 * that the source shows are stored, too.
 */
export async function lookAtSource(
  db: Database,
  source: string,
  connector: Connector,
  { naming }: AccountRules,
): Promise<Look> {
  let [read, told] = [0, 0];
  for (let after = ''; ; ) {
    const accounts = await readAccountsAfter(db, source, after, AT_ONCE);
    const answers = await Promise.all(
      accounts.map(async (account) => ({ ...account, answer: await connector.state({ account }) })),
    );
    const states = answers.flatMap(({ id, appliedSeq, answer }) =>
      answer.result === 'state' ? [{ id, at: answer.passwordChangedAt, appliedSeq }] : [],
    );
    await noteChangedThere(db, states);
    for (const { answer, ...link } of answers)
      if (answer.result === 'state' && isNews(link, answer.account))
        await learnAccount(db, link.id, answer.account, naming);
    for (const { id, answer } of answers)
      if (answer.result === 'failed' && isNoted(answer.reason))
        await noteProblem(db, [id], answer.reason);
    read += states.length;
    told += states.filter(({ at }) => at !== null).length;
    const failed = answers
      .map(({ answer }) => (answer.result === 'failed' ? answer.reason : null))
      .find((reason) => reason !== null && !aboutTheAccount.has(reason));
    if (failed) return { read, told, failed };
    if (accounts.length < AT_ONCE) return { read, told, failed: null };
    after = accounts.at(-1)?.id ?? '';
  }
}
