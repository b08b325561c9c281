import { performance } from 'node:perf_hooks';
import type { Reason } from '../../model/errors';
import type { AccountRef, Connector, WriteAnswer } from '../contract';
import { write } from './calls';
import { type Case, expectWritten, isSameText } from './cases';
import { expectAnswer, expectThat, Skipped } from './expectations';

/** Opens another connector to the same source, with this time limit. Null if its settings do not allow the limit. */
export type Hasty = (timeoutMs: number) => Promise<Connector | null>;

const PAGE_SIZE = 100;
/** Maximum number of pages to read, enough to see that each continues the one before. */
const MOST_PAGES = 20;

export const listCases = (connector: Connector, { name }: AccountRef): readonly Case[] => [
  {
    title: 'list returns every account exactly once, page by page',
    remedy: 'Sort by a unique value, and let the cursor name the start of the next page.',
    async run() {
      const names: string[] = [];
      let cursor: string | null = null;
      for (let page = 0; page < MOST_PAGES; page++) {
        const answer = await connector.list({ cursor, pageSize: PAGE_SIZE });
        expectAnswer(answer, { result: 'page' });
        if (answer.result !== 'page') return;
        expectThat(answer.accounts.length <= PAGE_SIZE, 'a page is longer than requested');
        names.push(...answer.accounts.map((account) => account.name));
        cursor = answer.cursor;
        if (cursor === null) break;
      }
      expectThat(new Set(names).size === names.length, 'an account is listed twice');
      const isListed = names.some((listed) => isSameText(listed, name));
      expectThat(cursor !== null || isListed, 'the account is not in the list');
    },
  },
];

const CROWD = 8;

export const crowdCases: readonly Case[] = [
  {
    title: `${CROWD} simultaneous writes are all answered, and the account ends with the password`,
    remedy:
      'Several people may change their passwords at once. Lock the file or table while you write it.',
    async run(trial) {
      const account = await trial.account();
      const password = trial.freshPassword();
      const answers = await Promise.all(
        Array.from({ length: CROWD }, () => trial.write(account.ref, password)),
      );
      // A target may make some of them wait. Lockstep repeats those.
      const waiting = answers.some(isToldToWait);
      for (const answer of answers)
        if (!isToldToWait(answer)) await expectWritten(trial, account, password, answer);
      if (waiting)
        await expectWritten(trial, account, password, await trial.write(account.ref, password));
      const succeeded = await trial.logsIn(account, password);
      expectThat(succeeded !== false, 'a login with the password that was written fails');
    },
  },
];

/** Reasons for which a target may make one of several writes to the same account wait. */
const WAITS: readonly Reason[] = ['account_in_use', 'busy', 'throttled'];

const isToldToWait = (answer: WriteAnswer): boolean =>
  answer.result === 'retry' && WAITS.includes(answer.reason);

const CUTS = [0.2, 0.4, 0.6, 0.8];

export const cutCases = (hasty: Hasty): readonly Case[] =>
  CUTS.map((part) => ({
    title: `a write that is cut short after ${part * 100} % of its time leaves the old or the new password, and another attempt completes it`,
    remedy:
      'The program may be killed at any moment. Write everything or nothing: write a new file and rename it over the old one, or use a transaction.',
    async run(trial) {
      const start = performance.now();
      const account = await trial.account();
      const connector = await hasty(Math.ceil((performance.now() - start) * part));
      if (connector === null) throw new Skipped('it is too fast for the shortest timeoutMs');
      const password = trial.freshPassword();
      const answer = await write(connector, account.ref, password);
      expectAnswer(answer, ...unfinished);
      const [old, next] = [
        await trial.logsIn(account, account.password),
        await trial.logsIn(account, password),
      ];
      expectThat(
        old !== false || next !== false,
        'logins fail with the old and with the new password',
      );
      await expectWritten(trial, account, password, await trial.write(account.ref, password));
      expectThat(
        (await trial.logsIn(account, password)) !== false,
        'a login with the new password fails',
      );
    },
  }));

const unfinished = ['applied', 'already_current', 'retry', 'ambiguous'].map((result) => ({
  result,
}));
