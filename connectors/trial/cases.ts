import type { AccountRef, FindAnswer, StateAnswer, VerifyAnswer, WriteAnswer } from '../contract';
import { expectAnswer, expectThat } from './expectations';

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
  /** Whether the source may reject some characters or long passwords. */
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

/** Passwords that a program could change by mistake. */
const awkward: Readonly<Record<string, string>> = {
  'quotes and apostrophes': `Say "it's" "" '' Ok9`,
  backslashes: String.raw`Back\slash\\ \n \5c \00 Ok9`,
  'spaces at the ends': '  Two spaces 9 ',
  'characters with a meaning in filters, DNs and SQL': `*)(uid=*),cn=x;--$$ %s %41 Ok9`,
  emoji: 'Clé-🔑-😀-👩‍👩‍👧-9',
  'combining characters, not composed': 'Cafe\u0301-n\u0303-9-Ok',
  'composed characters': 'Caf\u00e9-\u00f1-9-Ok',
  'right to left': 'שלום-عربي-9-Ok',
  'one character of each class in a long run': `Aa1!${'x'.repeat(60)}`,
  '256 code points': `Aa1!${'ä'.repeat(252)}`,
};

/** Values that a filter or statement without quoting would interpret. */
const hostile = [
  '*',
  '*)(objectClass=*',
  ')(|(cn=*',
  'a\0b',
  '\\',
  '\\2a',
  "' OR '1'='1",
  '"; --',
  '%',
  '_',
  '\u202e*',
  'ＡＢＣ',
  '',
];

const applied = { result: 'applied' };
const current = { result: 'already_current' };
const noAccount = { result: 'rejected', reason: 'no_account' };

/** Whether a target rejects a password because it does not support its characters or its length. */
const isLimit = (answer: WriteAnswer): boolean =>
  answer.result === 'rejected' &&
  ['character_not_supported', 'policy_too_long'].includes(answer.reason);

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
      expectAnswer(await trial.write(account.ref, password), applied, current);
      await expectLogin(trial, account, password, true);
    },
  },
  ...Object.entries(awkward).map(
    ([what, password]): Case => ({
      title: `a write transmits every byte of the password: ${what}`,
      remedy:
        'Pass on the password unchanged, in UTF-8, and quote it where necessary. Do not trim, shorten or normalize it. If the target does not support it, reject it with character_not_supported or policy_too_long.',
      async run(trial) {
        const account = await trial.account();
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

async function expectNoneFound(trial: Trial, key: string): Promise<void> {
  const answer = await trial.find(key);
  expectAnswer(answer, { result: 'found' });
  if (answer.result === 'found')
    expectThat(answer.accounts.length === 0, 'it found accounts that do not match');
}

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
      expectThat(
        found?.name === ref.name && found.nativeId === ref.nativeId,
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
      const { key } = await trial.account();
      for (const value of [key.slice(0, -1), `${key}x`, `*${key.slice(1)}`, `${key.slice(0, -1)}_`])
        await expectNoneFound(trial, value);
    },
  },
  ...hostile.map(
    (value): Case => ({
      title: `find treats ${JSON.stringify(value)} as a plain value`,
      remedy: 'Bind the value as a parameter, or quote it.',
      async run(trial) {
        await trial.account();
        await expectNoneFound(trial, value);
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
