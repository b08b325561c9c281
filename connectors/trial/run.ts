import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { Secret } from '../../model/passwords/secret';
import type { CaseResult, TrialJob } from '../../model/trial';
import type {
  AccountRef,
  Connector,
  FindAnswer,
  Finding,
  ListAnswer,
  StateAnswer,
} from '../contract';
import { type Case, findCases, stateCases, type Trial, verifyCases, writeCases } from './cases';
import { expectAnswer, expectThat, Unmet } from './expectations';

export interface TrialOptions extends Pick<TrialJob, 'account' | 'find'> {
  /** Opens another connector to the same source, with this time limit. Null if its settings do not allow the limit. */
  readonly hasty: (timeoutMs: number) => Promise<Connector | null>;
}

/** Runs all cases on one account. The account ends with a random password that is not reported. */
export async function* runTrial(
  connector: Connector,
  { account, find, hasty }: TrialOptions,
): AsyncGenerator<CaseResult> {
  const findings = await connector.check();
  yield* findings.map(asResult);
  if (findings.some(({ verdict }) => verdict === 'wrong')) return;
  const missing = await unsupported(connector, account);
  const trial = trialOf(connector, account, find, missing.verify === null);
  const groups: readonly (readonly [cases: readonly Case[], skipped: string | null])[] = [
    [writeCases, null],
    [verifyCases, missing.verify],
    [
      findCases,
      find === null ? 'to run it, name an attribute of the account: --find mail=…' : missing.find,
    ],
    [stateCases, missing.state],
    [listCases(connector, account), missing.list],
    [crowdCases, null],
    [cutCases(hasty), null],
  ];
  for (const [cases, reason] of groups)
    for (const testCase of cases)
      yield reason === null
        ? await resultOf(testCase, trial)
        : { title: testCase.title, verdict: 'skipped', says: reason };
}

const asResult = ({ check, verdict, says }: Finding): CaseResult => ({
  title: `check: ${check}`,
  verdict: verdict === 'warning' ? 'ok' : verdict,
  says,
});

async function resultOf({ title, remedy, run }: Case, trial: Trial): Promise<CaseResult> {
  try {
    await run(trial);
    return { title, verdict: 'ok', says: null };
  } catch (error) {
    if (error instanceof Skipped) return { title, verdict: 'skipped', says: error.message };
    // The message of any other error may contain a value.
    const problem = error instanceof Unmet ? error.message : 'the connector threw an error';
    return { title, verdict: 'wrong', says: `${problem}. ${remedy}` };
  }
}

class Skipped extends Error {}

/** Why the cases of an operation must be skipped, or null if the connector supports the operation. */
async function unsupported(connector: Connector, account: AccountRef) {
  const [verified, found, listed, state] = await Promise.all([
    verify(connector, account, freshPassword()),
    connector.find({ match: {}, limit: 1 }),
    connector.list({ cursor: null, pageSize: 1 }),
    connector.state({ account }),
  ]);
  const reason = (operation: string, answer: FindAnswer | ListAnswer | StateAnswer) =>
    answer.result === 'failed' && answer.reason === 'not_supported'
      ? `it does not support ${operation}`
      : null;
  return {
    verify:
      'reason' in verified && verified.reason === 'not_supported'
        ? 'it verifies no passwords (proof: none)'
        : null,
    find: reason('find', found),
    list: reason('list', listed),
    state: reason('state', state),
  };
}

const freshPassword = (): string => `Keep-${randomBytes(9).toString('base64url')}-7!`;

async function withSecret<T>(text: string, use: (password: Secret) => Promise<T>): Promise<T> {
  const password = Secret.fromText(text);
  try {
    return await use(password);
  } finally {
    password.destroy();
  }
}

const write = (connector: Connector, account: AccountRef, text: string) =>
  withSecret(text, (password) =>
    connector.setPassword({ account, password, form: 'plaintext', salt: randomBytes(16) }),
  );

const verify = (connector: Connector, account: AccountRef, text: string) =>
  withSecret(text, (password) => connector.verify({ account, password, form: 'plaintext' }));

function trialOf(
  connector: Connector,
  ref: AccountRef,
  find: TrialOptions['find'],
  verifies: boolean,
): Trial {
  return {
    async account() {
      const password = freshPassword();
      expectAnswer(await write(connector, ref, password), { result: 'applied' });
      return { ref, password, key: find?.value ?? '' };
    },
    absent: () => ({ name: `${ref.name}-${randomBytes(4).toString('hex')}`, nativeId: null }),
    mayRefuse: true,
    freshPassword,
    write: (account, password) => write(connector, account, password),
    verify: (account, password) => verify(connector, account, password),
    find: (key) => connector.find({ match: { [find?.attribute ?? '']: key }, limit: 10 }),
    state: (account) => connector.state({ account }),
    async logsIn(account, password) {
      if (!verifies) return null;
      const answer = await verify(connector, account.ref, password);
      expectThat(answer.result !== 'inconclusive', 'verify answered inconclusive');
      return answer.result === 'holds';
    },
  };
}

const PAGE_SIZE = 100;
/** Maximum number of pages to read, enough to see that each continues the one before. */
const MOST_PAGES = 20;

const listCases = (connector: Connector, { name }: AccountRef): readonly Case[] => [
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
      expectThat(cursor !== null || names.includes(name), 'the account is not in the list');
    },
  },
];

const CROWD = 8;

const crowdCases: readonly Case[] = [
  {
    title: `${CROWD} simultaneous writes are all answered, and the account ends with the password`,
    remedy:
      'Several people may change their passwords at once. Lock the file or table while you write it.',
    async run(trial) {
      const { ref } = await trial.account();
      const password = trial.freshPassword();
      const answers = await Promise.all(
        Array.from({ length: CROWD }, () => trial.write(ref, password)),
      );
      for (const answer of answers)
        expectAnswer(answer, { result: 'applied' }, { result: 'already_current' });
      const succeeded = await trial.logsIn({ ref, password, key: '' }, password);
      expectThat(succeeded !== false, 'a login with the password that was written fails');
    },
  },
];

const CUTS = [0.2, 0.4, 0.6, 0.8];

const cutCases = (hasty: TrialOptions['hasty']): readonly Case[] =>
  CUTS.map((part) => ({
    title: `a write that is cut short after ${part * 100} % of its time leaves the old or the new password, and another attempt completes it`,
    remedy:
      'The program may be killed at any moment. Write everything or nothing: write a new file and rename it over the old one, or use a transaction.',
    async run(trial) {
      const account = await trial.account();
      const start = performance.now();
      expectAnswer(await trial.write(account.ref, account.password), ...written);
      const connector = await hasty(Math.ceil((performance.now() - start) * part));
      if (connector === null) throw new Skipped('it is too fast for the shortest timeoutMs');
      const password = trial.freshPassword();
      const answer = await write(connector, account.ref, password);
      expectAnswer(answer, ...written, { result: 'retry' }, { result: 'ambiguous' });
      const [old, next] = [
        await trial.logsIn(account, account.password),
        await trial.logsIn(account, password),
      ];
      expectThat(
        old !== false || next !== false,
        'logins fail with the old and with the new password',
      );
      expectAnswer(await trial.write(account.ref, password), ...written);
      expectThat(
        (await trial.logsIn(account, password)) !== false,
        'a login with the new password fails',
      );
    },
  }));

const written = [{ result: 'applied' }, { result: 'already_current' }] as const;
