import type { Reason } from '../../model/errors';
import type { AccountRef, FindAnswer, StateAnswer, VerifyAnswer, WriteAnswer } from '../contract';
import { expectAnswer, expectThat } from './expectations';
import { awkward, hostile, randomPart } from './values';

/**
 * Cases for the promises of the contract that need no administrator of the source. `lockstep connector test` runs them
 * for the author of a connector, and our own conformance suite (test/connectors/conformance.ts) begins with them.
 */
export interface Case {
  readonly title: string;
  /** What the author should correct if the case fails. */
  readonly remedy: string;
  readonly run: (trial: Trial) => Promise<void>;
}

/** An account of the source that the cases may write. */
export interface TrialAccount {
  readonly ref: AccountRef;
  /** Its current password. */
  readonly password: string;
  /** Value of the attribute by which `Trial.find` searches. No other account has it. */
  readonly key: string;
}

/** A connector and the accounts on which the cases run. */
export interface Trial {
  /** Returns an account with a known password. */
  readonly account: () => Promise<TrialAccount>;
  /** Returns an account that does not exist. */
  readonly absent: () => AccountRef;
  /** Whether the source may reject passwords by rules that are not known here. */
  readonly mayRefuse: boolean;
  /** Returns a random password that is long and mixed enough for any policy. */
  readonly freshPassword: () => string;
  readonly write: (ref: AccountRef, password: string) => Promise<WriteAnswer>;
  readonly verify: (ref: AccountRef, password: string) => Promise<VerifyAnswer>;
  readonly find: (key: string) => Promise<FindAnswer>;
  readonly state: (ref: AccountRef) => Promise<StateAnswer>;
  /** Whether the source accepts the password in a login; null if that cannot be found out. */
  readonly logsIn: (account: TrialAccount, password: string) => Promise<boolean | null>;
}

const applied = { result: 'applied' };
const current = { result: 'already_current' };
const noAccount = { result: 'rejected', reason: 'no_account' };

/** Whether a target rejects a password because of its characters, its length or a rule of its own. */
const isLimit = (answer: WriteAnswer): boolean =>
  answer.result === 'rejected' &&
  (answer.reason === 'character_not_supported' || answer.reason.startsWith('policy'));

/** Reasons for which a target may reject a repeat of the current password without saying that it is the current one. */
const HISTORIES: readonly Reason[] = ['policy', 'policy_history'];

/**
 * Expects that the account holds the password after a write that may be a repeat. Some targets reject a repeat as they
 * reject an older password. Lockstep then finds out by a login, and so does this.
 */
export async function expectWritten(
  trial: Trial,
  account: TrialAccount,
  password: string,
  answer: WriteAnswer,
): Promise<void> {
  const hidden =
    trial.mayRefuse && answer.result === 'rejected' && HISTORIES.includes(answer.reason);
  if (hidden && (await trial.logsIn(account, password)) === true) return;
  expectAnswer(answer, applied, current);
}

async function expectLogin(
  trial: Trial,
  account: TrialAccount,
  password: string,
  wanted: boolean,
): Promise<void> {
  const succeeded = await trial.logsIn(account, password);
  expectThat(
    succeeded === null || succeeded === wanted,
    wanted
      ? 'a login with the password that was written fails'
      : 'a login with another password succeeds',
  );
}

export const writeCases: readonly Case[] = [
  {
    title: 'after a write, logins succeed with the new password and fail with the old one',
    remedy: 'Answer applied only when the target holds the new password.',
    async run(trial) {
      const account = await trial.account();
      const password = trial.freshPassword();
      await expectLogin(trial, account, account.password, true);
      expectAnswer(await trial.write(account.ref, password), applied);
      await expectLogin(trial, account, password, true);
      await expectLogin(trial, account, account.password, false);
    },
  },
  {
    title: 'a repeated write of the same value is applied or already_current, never rejected',
    remedy:
      'Lockstep repeats a write whose answer was lost. If a history rule rejects the current password, answer already_current.',
    async run(trial) {
      const account = await trial.account();
      const password = trial.freshPassword();
      expectAnswer(await trial.write(account.ref, password), applied);
      await expectWritten(trial, account, password, await trial.write(account.ref, password));
      await expectLogin(trial, account, password, true);
    },
  },
  ...Object.entries(awkward).map(
    ([what, passwordWith]): Case => ({
      title: `a write transmits every byte of the password: ${what}`,
      remedy:
        'Pass on the password unchanged, in UTF-8, and quote it where necessary. Do not trim, shorten or normalize it. If the target does not support it, reject it with character_not_supported or policy_too_long.',
      async run(trial) {
        const account = await trial.account();
        const password = passwordWith(randomPart());
        const answer = await trial.write(account.ref, password);
        if (trial.mayRefuse && isLimit(answer))
          return expectLogin(trial, account, account.password, true);
        expectAnswer(answer, applied);
        await expectLogin(trial, account, password, true);
        // A login with a shorter password succeeds if the target has trimmed or shortened the password.
        await expectLogin(trial, account, [...password].slice(0, -1).join(''), false);
      },
    }),
  ),
  {
    title: 'a write to an account that does not exist is rejected with no_account',
    remedy: 'Check that the account exists, and never create one.',
    async run(trial) {
      expectAnswer(await trial.write(trial.absent(), trial.freshPassword()), noAccount);
    },
  },
];

export const verifyCases: readonly Case[] = [
  {
    title: 'verify answers holds for the right password and differs for another one',
    remedy: 'Compare the whole password, even if it is empty.',
    async run(trial) {
      const { ref, password } = await trial.account();
      expectAnswer(await trial.verify(ref, password), { result: 'holds' });
      expectAnswer(await trial.verify(ref, trial.freshPassword()), { result: 'differs' });
      expectAnswer(await trial.verify(ref, ''), { result: 'differs' });
    },
  },
  {
    title: 'verify answers inconclusive with no_account for an account that does not exist',
    remedy:
      'Answer inconclusive with no_account: a missing account does not show that the password differs.',
    async run(trial) {
      const answer = await trial.verify(trial.absent(), trial.freshPassword());
      expectAnswer(answer, { result: 'inconclusive', reason: 'no_account' });
    },
  },
];

/** Another account may really have the value. It is right to find that one, and no other. */
async function expectOnlyHolders(trial: Trial, { ref }: TrialAccount, value: string) {
  const answer = await trial.find(value);
  expectAnswer(answer, { result: 'found' });
  if (answer.result !== 'found') return;
  for (const { name, attributes } of answer.accounts) {
    const holds = Object.values(attributes)
      .flat()
      .some((text) => isSameText(text, value));
    expectThat(holds && !isSameText(name, ref.name), 'it found accounts that do not match');
  }
}

/** Whether two texts are equal to a source that ignores case, or spaces around the parts of a DN. */
export const isSameText = (text: string, other: string): boolean => folded(text) === folded(other);

const folded = (text: string): string => text.toLowerCase().replace(/ *([,=]) */g, '$1');

export const findCases: readonly Case[] = [
  {
    title: 'find returns the account that matches, with its native id and attributes',
    remedy: 'Return the name and nativeId of the account, and the attribute that was searched for.',
    async run(trial) {
      const { ref, key } = await trial.account();
      const answer = await trial.find(key);
      expectAnswer(answer, { result: 'found' });
      if (answer.result !== 'found') return;
      const [found, ...more] = answer.accounts;
      expectThat(found !== undefined, 'it did not find the account');
      expectThat(more.length === 0, 'it found more than one account');
      const { name = '', nativeId = null } = found ?? {};
      // The account may have been named without its native id.
      const isSameId = ref.nativeId === null || nativeId === ref.nativeId;
      expectThat(
        isSameText(name, ref.name) && isSameId,
        'it found another account, or the same under another name or nativeId',
      );
      expectThat(
        Object.values(found?.attributes ?? {})
          .flat()
          .includes(key),
        'the account does not contain the attribute that was searched for',
      );
    },
  },
  {
    title: 'find returns no account whose value is only similar',
    remedy: 'Compare whole values, and quote them in the search.',
    async run(trial) {
      const account = await trial.account();
      const { key } = account;
      for (const value of [key.slice(0, -1), `${key}x`, `*${key.slice(1)}`, `${key.slice(0, -1)}_`])
        await expectOnlyHolders(trial, account, value);
    },
  },
  ...hostile.map(
    (value): Case => ({
      title: `find treats ${JSON.stringify(value)} as a plain value`,
      remedy: 'Bind the value as a parameter, or quote it.',
      async run(trial) {
        await expectOnlyHolders(trial, await trial.account(), value);
      },
    }),
  ),
];

export const stateCases: readonly Case[] = [
  {
    title: 'state shows an active account as neither disabled, locked nor due for a change',
    remedy:
      'Answer false for all three, and make sure that a write does not lock, disable or expire the account.',
    async run(trial) {
      const { ref } = await trial.account();
      const active = { disabled: false, locked: false, mustChange: false };
      expectAnswer(await trial.state(ref), { result: 'state', ...active });
    },
  },
  {
    title: 'state answers failed with no_account for an account that does not exist',
    remedy: 'Answer failed with no_account.',
    async run(trial) {
      expectAnswer(await trial.state(trial.absent()), { result: 'failed', reason: 'no_account' });
    },
  },
];
