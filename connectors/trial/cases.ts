import type { AccountRef, FindAnswer, StateAnswer, VerifyAnswer, WriteAnswer } from '../contract';
import { expectAnswer, expectThat } from './expectations';

/**
 * The promises of the contract that can be tried without the administrator of the source: what `lockstep connector test`
 * runs for whoever wrote one, and the beginning of our own conformance suite (test/connectors/conformance.ts).
 */
export interface Case {
  readonly title: string;
  /** What to look at in the connector when it fails. */
  readonly remedy: string;
  readonly run: (trial: Trial) => Promise<void>;
}

/** An account that is there to be tried with. */
export interface TrialAccount {
  readonly ref: AccountRef;
  /** What it holds. */
  readonly password: string;
  /** What the attribute `Trial.find` asks for holds, for this account alone. */
  readonly key: string;
}

/** A connector at work on accounts that nobody misses. */
export interface Trial {
  readonly account: () => Promise<TrialAccount>;
  readonly absent: () => AccountRef;
  /** Whether the source may have limits that nobody has told us of. */
  readonly mayRefuse: boolean;
  /** Long and mixed enough for any policy. */
  readonly freshPassword: () => string;
  readonly write: (ref: AccountRef, password: string) => Promise<WriteAnswer>;
  readonly verify: (ref: AccountRef, password: string) => Promise<VerifyAnswer>;
  readonly find: (key: string) => Promise<FindAnswer>;
  readonly state: (ref: AccountRef) => Promise<StateAnswer>;
  /** Whether the source takes the password; null where nobody can tell. */
  readonly logsIn: (account: TrialAccount, password: string) => Promise<boolean | null>;
}

/** Passwords that something on the way could mangle. */
const awkward: Readonly<Record<string, string>> = {
  'quotes and apostrophes': `Say "it's" "" '' Ok9`,
  backslashes: String.raw`Back\slash\\ \n \5c \00 Ok9`,
  'spaces at the ends': '  Two spaces 9 ',
  'what filters, DNs and SQL give a meaning': `*)(uid=*),cn=x;--$$ %s %41 Ok9`,
  emoji: 'Clé-🔑-😀-👩‍👩‍👧-9',
  'combining characters, not composed': 'Cafe\u0301-n\u0303-9-Ok',
  'composed characters': 'Caf\u00e9-\u00f1-9-Ok',
  'right to left': 'שלום-عربي-9-Ok',
  'one character of each class in a long run': `Aa1!${'x'.repeat(60)}`,
  '256 code points': `Aa1!${'ä'.repeat(252)}`,
};

/** Values that a careless filter or statement would take for more than a value. */
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

/** A target that cannot take every character, or a long password, and says so. */
const isLimit = (answer: WriteAnswer): boolean =>
  answer.result === 'rejected' &&
  ['character_not_supported', 'policy_too_long'].includes(answer.reason);

async function expectLogin(
  trial: Trial,
  account: TrialAccount,
  password: string,
  wanted: boolean,
): Promise<void> {
  const seen = await trial.logsIn(account, password);
  expectThat(
    seen === null || seen === wanted,
    wanted ? 'the password that was written is refused' : 'another password is taken',
  );
}

export const writeCases: readonly Case[] = [
  {
    title: 'a new password is written: it is taken from then on, and the old one is not',
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
    title: 'the same value again is applied or already current, never refused',
    remedy:
      'A write whose answer was lost is repeated. Where a history refuses what it already holds, answer already_current.',
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
      title: `every byte arrives: ${what}`,
      remedy:
        'Pass the password on as it is, in UTF-8, quoted for whatever takes it: neither trimmed nor cut short, nor normalised. What the target cannot take is rejected: character_not_supported, policy_too_long.',
      async run(trial) {
        const account = await trial.account();
        const answer = await trial.write(account.ref, password);
        if (trial.mayRefuse && isLimit(answer))
          return expectLogin(trial, account, account.password, true);
        expectAnswer(answer, applied);
        await expectLogin(trial, account, password, true);
        // Neither trimmed nor cut short on the way.
        await expectLogin(trial, account, [...password].slice(0, -1).join(''), false);
      },
    }),
  ),
  {
    title: 'an account that does not exist: rejected, no_account',
    remedy: 'Look whether the account is there, and make none.',
    async run(trial) {
      expectAnswer(await trial.write(trial.absent(), trial.freshPassword()), noAccount);
    },
  },
];

export const verifyCases: readonly Case[] = [
  {
    title: 'verify: the right password holds, another one differs',
    remedy: 'Compare the whole password, also an empty one.',
    async run(trial) {
      const { ref, password } = await trial.account();
      expectAnswer(await trial.verify(ref, password), { result: 'holds' });
      expectAnswer(await trial.verify(ref, trial.freshPassword()), { result: 'differs' });
      expectAnswer(await trial.verify(ref, ''), { result: 'differs' });
    },
  },
  {
    title: 'verify: an account that does not exist is inconclusive, no_account',
    remedy: 'No account is no proof that the password differs.',
    async run(trial) {
      const answer = await trial.verify(trial.absent(), trial.freshPassword());
      expectAnswer(answer, { result: 'inconclusive', reason: 'no_account' });
    },
  },
];

async function expectNobody(trial: Trial, key: string): Promise<void> {
  const answer = await trial.find(key);
  expectAnswer(answer, { result: 'found' });
  if (answer.result === 'found')
    expectThat(answer.accounts.length === 0, 'it found accounts that do not match');
}

export const findCases: readonly Case[] = [
  {
    title: 'find: the one account that matches, with its native id and attributes',
    remedy: 'Give the account as its name and nativeId, with the attribute that was asked for.',
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
        Object.values(found?.attributes ?? {}).includes(key),
        'the attribute that was asked for is not among those of the account',
      );
    },
  },
  {
    title: 'find: nothing that only resembles the value',
    remedy: 'Compare whole values, and quote them for whatever searches.',
    async run(trial) {
      const { key } = await trial.account();
      for (const value of [key.slice(0, -1), `${key}x`, `*${key.slice(1)}`, `${key.slice(0, -1)}_`])
        await expectNobody(trial, value);
    },
  },
  ...hostile.map(
    (value): Case => ({
      title: `find: ${JSON.stringify(value)} is only a value`,
      remedy: 'Quote what you search for; better, bind it as a parameter.',
      async run(trial) {
        await trial.account();
        await expectNobody(trial, value);
      },
    }),
  ),
];

export const stateCases: readonly Case[] = [
  {
    title: 'state: an active account is neither disabled, locked nor to change',
    remedy: 'A write unlocks, enables and expires nothing.',
    async run(trial) {
      const { ref } = await trial.account();
      const active = { disabled: false, locked: false, mustChange: false };
      expectAnswer(await trial.state(ref), { result: 'state', ...active });
    },
  },
  {
    title: 'state: an account that does not exist: no_account',
    remedy: 'Answer failed with no_account.',
    async run(trial) {
      expectAnswer(await trial.state(trial.absent()), { result: 'failed', reason: 'no_account' });
    },
  },
];
