import { randomBytes } from 'node:crypto';
import { errors } from '../../model/errors';
import type { CaseResult, TrialJob } from '../../model/trial';
import type {
  AccountRef,
  Connector,
  FindAnswer,
  Finding,
  ListAnswer,
  StateAnswer,
} from '../contract';
import { freshPassword, verify, write } from './calls';
import { type Case, findCases, stateCases, type Trial, verifyCases, writeCases } from './cases';
import { expectAnswer, expectThat, Skipped, Unmet } from './expectations';
import { crowdCases, cutCases, type Hasty, listCases } from './session-cases';

export interface TrialOptions extends Pick<TrialJob, 'account' | 'find'> {
  readonly hasty: Hasty;
}

/** Runs all cases on one account. The account ends with a random password that is not reported. */
export async function* runTrial(
  connector: Connector,
  { account, find, hasty }: TrialOptions,
): AsyncGenerator<CaseResult> {
  const findings = await connector.check();
  yield* findings.map(asResult);
  if (findings.some(({ verdict }) => verdict === 'wrong')) return;
  const unwritable = await whyUnwritable(connector, account);
  if (unwritable !== null) {
    yield unwritable;
    return;
  }
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

/**
 * Writes the account twice. Returns a result if the source or its policy does not let the account be written, because
 * every case would then fail for that reason.
 */
async function whyUnwritable(
  connector: Connector,
  account: AccountRef,
): Promise<CaseResult | null> {
  const title = 'the test account can be written';
  for (let writes = 0; writes < 2; writes++) {
    const answer = await write(connector, account, freshPassword());
    if (answer.result !== 'rejected') continue;
    const { reason, vendorCode } = answer;
    const tooYoung = reason === 'policy_too_young';
    const remedy = tooYoung
      ? 'The source has a minimum password age, so it allows only one change at a time. Give the test account a policy without one.'
      : errors[reason].says;
    const says = `a write was rejected (${reason}${vendorCode === null ? '' : `, ${vendorCode}`}). ${remedy}`;
    return { title, verdict: tooYoung ? 'skipped' : 'wrong', says };
  }
  return null;
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
    absent: () => ({ name: absentName(ref.name), nativeId: null }),
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

/** Returns a name that no account has, below the same parent or in the same domain. */
function absentName(name: string): string {
  const [own = '', separator = '', ...rest] = name.split(/((?<!\\),|@)/);
  return [`${own}-${randomBytes(4).toString('hex')}`, separator, ...rest].join('');
}
