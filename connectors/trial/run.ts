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
  /** Another connector to the same source; null when its settings cannot be so. */
  readonly hasty: (timeoutMs: number) => Promise<Connector | null>;
}

/** One account, whose password is lost afterwards: nobody is told what it is set to. */
export async function* runTrial(
  connector: Connector,
  { account, find, hasty }: TrialOptions,
): AsyncGenerator<CaseResult> {
  const findings = await connector.check();
  yield* findings.map(asResult);
  if (findings.some(({ verdict }) => verdict === 'wrong')) return;
  const served = await whatIsServed(connector, account);
  const trial = trialOf(connector, account, find, served.verify);
  const groups: readonly (readonly [cases: readonly Case[], skipped: string | null])[] = [
    [writeCases, null],
    [verifyCases, served.verify ? null : 'it proves no passwords (proof: none)'],
    [findCases, find === null ? 'name the account by an attribute: --find mail=…' : served.find],
    [stateCases, served.state],
    [listCases(connector, account), served.list],
    [crowdCases, null],
    [cutCases(hasty), null],
  ];
  for (const [cases, reason] of groups)
    for (const one of cases)
      yield reason === null
        ? await resultOf(one, trial)
        : { title: one.title, verdict: 'skipped', says: reason };
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
    // Any other message may hold a value.
    const seen = error instanceof Unmet ? error.message : 'the connector threw an error';
    return { title, verdict: 'wrong', says: `${seen}. ${remedy}` };
  }
}

class Skipped extends Error {}

/** Null for what is served; else why it is not tried. */
async function whatIsServed(connector: Connector, account: AccountRef) {
  const [verified, found, listed, state] = await Promise.all([
    verify(connector, account, freshPassword()),
    connector.find({ match: {}, limit: 1 }),
    connector.list({ cursor: null, pageSize: 1 }),
    connector.state({ account }),
  ]);
  const reason = (operation: string, answer: FindAnswer | ListAnswer | StateAnswer) =>
    answer.result === 'failed' && answer.reason === 'not_supported'
      ? `it does not serve ${operation}`
      : null;
  return {
    verify: !('reason' in verified && verified.reason === 'not_supported'),
    find: reason('find', found),
    list: reason('list', listed),
    state: reason('state', state),
  };
}

const freshPassword = (): string => `Keep-${randomBytes(9).toString('base64url')}-7!`;

async function lend<T>(text: string, use: (password: Secret) => Promise<T>): Promise<T> {
  const password = Secret.fromText(text);
  try {
    return await use(password);
  } finally {
    password.destroy();
  }
}

const write = (connector: Connector, account: AccountRef, text: string) =>
  lend(text, (password) =>
    connector.setPassword({ account, password, form: 'plaintext', salt: randomBytes(16) }),
  );

const verify = (connector: Connector, account: AccountRef, text: string) =>
  lend(text, (password) => connector.verify({ account, password, form: 'plaintext' }));

function trialOf(
  connector: Connector,
  ref: AccountRef,
  find: TrialOptions['find'],
  proves: boolean,
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
      if (!proves) return null;
      const seen = await verify(connector, account.ref, password);
      expectThat(seen.result !== 'inconclusive', 'verify could not tell (inconclusive)');
      return seen.result === 'holds';
    },
  };
}

const PAGE_SIZE = 100;
/** Enough to see that pages follow each other. */
const MOST_PAGES = 20;

const listCases = (connector: Connector, { name }: AccountRef): readonly Case[] => [
  {
    title: 'list: every account exactly once, page after page',
    remedy: 'Sort by something that is unique, and let the cursor say where the next page begins.',
    async run() {
      const names: string[] = [];
      let cursor: string | null = null;
      for (let page = 0; page < MOST_PAGES; page++) {
        const answer = await connector.list({ cursor, pageSize: PAGE_SIZE });
        expectAnswer(answer, { result: 'page' });
        if (answer.result !== 'page') return;
        expectThat(answer.accounts.length <= PAGE_SIZE, 'a page is longer than was asked for');
        names.push(...answer.accounts.map((account) => account.name));
        cursor = answer.cursor;
        if (cursor === null) break;
      }
      expectThat(new Set(names).size === names.length, 'an account came twice');
      expectThat(cursor !== null || names.includes(name), 'the account is not in the list');
    },
  },
];

const CROWD = 8;

const crowdCases: readonly Case[] = [
  {
    title: `${CROWD} calls at the same time: each is answered, and the last value holds`,
    remedy: 'Several people change their passwords at once: lock what is written whole.',
    async run(trial) {
      const { ref } = await trial.account();
      const password = trial.freshPassword();
      const answers = await Promise.all(
        Array.from({ length: CROWD }, () => trial.write(ref, password)),
      );
      for (const answer of answers)
        expectAnswer(answer, { result: 'applied' }, { result: 'already_current' });
      const seen = await trial.logsIn({ ref, password, key: '' }, password);
      expectThat(seen !== false, 'the password that was written is refused');
    },
  },
];

const CUTS = [0.2, 0.4, 0.6, 0.8];

const cutCases = (hasty: TrialOptions['hasty']): readonly Case[] =>
  CUTS.map((part) => ({
    title: `cut short after ${part * 100} % of its time: the old password or the new one, and one more attempt ends it`,
    remedy:
      'It may be killed at any moment. Write all of it or nothing: into a new file that then takes the place of the old one, or in a transaction.',
    async run(trial) {
      const account = await trial.account();
      const start = performance.now();
      expectAnswer(await trial.write(account.ref, account.password), ...written);
      const connector = await hasty(Math.ceil((performance.now() - start) * part));
      if (connector === null) throw new Skipped('it is too quick for the shortest timeoutMs');
      const password = trial.freshPassword();
      const answer = await write(connector, account.ref, password);
      expectAnswer(answer, ...written, { result: 'retry' }, { result: 'ambiguous' });
      const [old, next] = [
        await trial.logsIn(account, account.password),
        await trial.logsIn(account, password),
      ];
      expectThat(old !== false || next !== false, 'neither the old nor the new password is taken');
      expectAnswer(await trial.write(account.ref, password), ...written);
      expectThat((await trial.logsIn(account, password)) !== false, 'the new password is refused');
    },
  }));

const written = [{ result: 'applied' }, { result: 'already_current' }] as const;
