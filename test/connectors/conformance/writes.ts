import type { Connector, StateAnswer } from '../../../connectors/contract';
import { writeCases } from '../../../connectors/trial/cases';
import { type Bench, freshPassword, needed, trialOf, write } from './bench';
import { changedParts } from './entries';
import type { TestAccount } from './subject';

const APPLIED = expect.objectContaining({ result: 'applied' });

export function writePromises({ subject, promise, direct }: Bench): void {
  let connector: Connector;
  beforeAll(async () => {
    connector = await direct();
  });

  const trial = trialOf(subject, () => connector);
  for (const { title, run } of writeCases) promise(title, () => run(trial));

  const states = {
    'an active': async () => {},
    'a disabled': (account: TestAccount) => needed(subject.disable, 'disable')(account),
    'a locked': (account: TestAccount) => needed(subject.lock, 'lock')(account),
    'a must-change': (account: TestAccount) =>
      needed(subject.requireChange, 'requireChange')(account),
  };
  for (const [state, prepare] of Object.entries(states)) {
    promise(`a write changes nothing else of ${state} account`, async () => {
      const account = await subject.account();
      await prepare(account);
      const [before, stateBefore] = [await subject.entry(account), await flags(account)];
      expect(await write(connector, account, freshPassword())).toEqual(APPLIED);
      expect(await changedParts(subject, account, before)).toEqual([]);
      expect(await flags(account)).toEqual(stateBefore);
    });
  }

  for (const refusal of subject.refusals) {
    promise(`${refusal.title} is rejected with ${refusal.reason}`, async () => {
      const account = await (refusal.account ?? subject.account)();
      let current = account.password;
      for (const password of refusal.after ?? []) {
        expect(await write(connector, account, password)).toEqual(APPLIED);
        current = password;
      }
      const answer = await write(connector, account, refusal.password);
      expect(answer).toMatchObject({ result: 'rejected', reason: refusal.reason });
      expect(await subject.logsIn(account, current)).toBe(true);
    });
  }

  promise('a write by a service account without rights is rejected with no_rights', async () => {
    const account = await subject.account();
    const powerless = await direct(subject.wrong.rights);
    const answer = await write(powerless, account, freshPassword());
    expect(answer).toMatchObject({ result: 'rejected', reason: 'no_rights' });
    expect(await subject.logsIn(account, account.password)).toBe(true);
  });

  promise('50 accounts, written 16 at a time, each end with their own password', async () => {
    const accounts = await Promise.all(Array.from({ length: 50 }, () => subject.account()));
    const queue = accounts.map((account) => ({ account, password: freshPassword() }));
    const work = [...queue];
    const worker = async () => {
      for (let next = work.pop(); next !== undefined; next = work.pop())
        expect(await write(connector, next.account, next.password)).toEqual(APPLIED);
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
}
