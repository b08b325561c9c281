import type { Connector, StateAnswer } from '../../../connectors/contract';
import { type Bench, freshPassword, needed, write } from './bench';
import type { TestAccount } from './subject';

const WROTE = expect.objectContaining({ result: 'applied' });

/** Passwords that something between here and the server could mangle. */
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

export function writePromises({ subject, promise, direct }: Bench): void {
  let connector: Connector;
  beforeAll(async () => {
    connector = await direct();
  });

  promise(
    'a new password is written, and an independent login takes it and refuses the old one',
    async () => {
      const account = await subject.account();
      const password = freshPassword();
      expect(await subject.logsIn(account, account.password)).toBe(true);
      expect(await write(connector, account, password)).toEqual(WROTE);
      expect(await subject.logsIn(account, password)).toBe(true);
      expect(await subject.logsIn(account, account.password)).toBe(false);
    },
  );

  const states = {
    'an active': async () => {},
    'a disabled': (account: TestAccount) => needed(subject.disable, 'disable')(account),
    'a locked': (account: TestAccount) => needed(subject.lock, 'lock')(account),
    'a must-change': (account: TestAccount) =>
      needed(subject.requireChange, 'requireChange')(account),
  };
  for (const [state, put] of Object.entries(states)) {
    promise(`a write changes nothing else of ${state} account`, async () => {
      const account = await subject.account();
      await put(account);
      const [before, stateBefore] = [await subject.entry(account), await flags(account)];
      expect(await write(connector, account, freshPassword())).toEqual(WROTE);
      expect(await changedParts(account, before)).toEqual([]);
      expect(await flags(account)).toEqual(stateBefore);
    });
  }

  promise('the same value again is applied or already current, never refused', async () => {
    const account = await subject.account();
    const password = freshPassword();
    expect(await write(connector, account, password)).toEqual(WROTE);
    const again = await write(connector, account, password);
    expect(['applied', 'already_current']).toContain(again.result);
    expect(await subject.logsIn(account, password)).toBe(true);
  });

  for (const [what, password] of Object.entries(awkward)) {
    promise(`every byte arrives: ${what}`, async () => {
      const account = await subject.account();
      expect(await write(connector, account, password)).toEqual(WROTE);
      expect(await subject.logsIn(account, password)).toBe(true);
      // Neither trimmed nor cut short on the way.
      expect(await subject.logsIn(account, [...password].slice(0, -1).join(''))).toBe(false);
    });
  }

  for (const refusal of subject.refusals) {
    promise(`${refusal.title}: rejected, ${refusal.reason}`, async () => {
      const account = await (refusal.account ?? subject.account)();
      let current = account.password;
      for (const password of refusal.after ?? []) {
        expect(await write(connector, account, password)).toEqual(WROTE);
        current = password;
      }
      const answer = await write(connector, account, refusal.password);
      expect(answer).toMatchObject({ result: 'rejected', reason: refusal.reason });
      expect(await subject.logsIn(account, current)).toBe(true);
    });
  }

  promise('an account that does not exist: rejected, no_account', async () => {
    const absent = { ref: subject.absent('nobody'), password: '', key: '' };
    expect(await write(connector, absent, freshPassword())).toMatchObject({
      result: 'rejected',
      reason: 'no_account',
    });
  });

  promise('a service account without rights: rejected, no_rights', async () => {
    const account = await subject.account();
    const powerless = await direct(subject.wrong.rights);
    const answer = await write(powerless, account, freshPassword());
    expect(answer).toMatchObject({ result: 'rejected', reason: 'no_rights' });
    expect(await subject.logsIn(account, account.password)).toBe(true);
  });

  promise('an account that was renamed is found by its native id, and said so', async () => {
    const account = await subject.account();
    const renamed = await needed(subject.rename, 'rename')(account);
    const password = freshPassword();
    const answer = await write(connector, account, password);
    expect(answer).toMatchObject({ result: 'applied', movedTo: renamed.ref.name });
    expect(await subject.logsIn(renamed, password)).toBe(true);
  });

  promise('50 accounts, 16 at a time, each end with their own value', async () => {
    const accounts = await Promise.all(Array.from({ length: 50 }, () => subject.account()));
    const queue = accounts.map((account) => ({ account, password: freshPassword() }));
    const work = [...queue];
    const worker = async () => {
      for (let next = work.pop(); next !== undefined; next = work.pop())
        expect(await write(connector, next.account, next.password)).toEqual(WROTE);
    };
    await Promise.all(Array.from({ length: 16 }, worker));
    for (const { account, password } of queue)
      expect(await subject.logsIn(account, password)).toBe(true);
  });

  async function flags(account: TestAccount): Promise<Partial<StateAnswer>> {
    const { passwordChangedAt: _, ...rest } = {
      passwordChangedAt: null,
      ...(await connector.state({ account: account.ref })),
    };
    return rest;
  }

  async function changedParts(
    account: TestAccount,
    before: Readonly<Record<string, unknown>>,
  ): Promise<string[]> {
    const after = await subject.entry(account);
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...names].filter(
      (name) =>
        !subject.mayChange.includes(name) &&
        JSON.stringify(before[name]) !== JSON.stringify(after[name]),
    );
  }
}
