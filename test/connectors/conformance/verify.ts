import type { Connector } from '../../../connectors/contract';
import { verifyCases } from '../../../connectors/trial/cases';
import { type Bench, freshPassword, needed, trialOf, verify, write } from './bench';
import type { TestAccount } from './subject';

export function verifyPromises({ subject, promise, direct, proxied }: Bench): void {
  let connector: Connector;
  beforeAll(async () => {
    connector = await direct();
  });

  const trial = trialOf(subject, () => connector);
  for (const { title, run } of verifyCases) promise(title, () => run(trial));

  promise('verify: after a write the new password holds and the old one differs', async () => {
    const account = await subject.account();
    const password = freshPassword();
    await write(connector, account, password);
    expect(await verify(connector, account, password)).toMatchObject({ result: 'holds' });
    expect(await verify(connector, account, account.password)).toMatchObject({
      result: 'differs',
    });
  });

  promise('verify: the new password of a disabled account is never said to differ', () =>
    barred('disabled', needed(subject.disable, 'disable')),
  );

  promise('verify: the new password of a locked account is never said to differ', () =>
    barred('locked', needed(subject.lock, 'lock')),
  );

  promise('verify: a must-change account holds its password', async () => {
    const account = await subject.account();
    await needed(subject.requireChange, 'requireChange')(account);
    expect(await verify(connector, account, account.password)).toMatchObject({ result: 'holds' });
  });

  promise('verify: a proof does not disturb the next one, whoever it is for', async () => {
    const [first, second] = [await subject.account(), await subject.account()];
    for (const account of [first, second, first]) {
      expect(await verify(connector, account, freshPassword())).toMatchObject({
        result: 'differs',
      });
      expect(await verify(connector, account, account.password)).toMatchObject({
        result: 'holds',
      });
    }
  });

  promise('verify: makes one login, not more', async () => {
    const failedLogins = needed(subject.failedLogins, 'failedLogins');
    const account = await subject.account();
    expect(await failedLogins(account)).toBe(0);
    await verify(connector, account, freshPassword());
    expect(await failedLogins(account)).toBe(1);
  });

  promise('verify: a server that is away is inconclusive, unreachable', async () => {
    const account = await subject.account();
    const { connector: cutOff, proxy } = await proxied(subject.hasty);
    await proxy.refuse();
    expect(await verify(cutOff, account, account.password)).toMatchObject({
      result: 'inconclusive',
      reason: 'unreachable',
    });
  });

  const reasons = { disabled: 'account_disabled', locked: 'account_locked' } as const;

  async function barred(
    state: 'disabled' | 'locked',
    put: (account: TestAccount) => Promise<void>,
  ): Promise<void> {
    const account = await subject.account();
    const password = freshPassword();
    await write(connector, account, password);
    await put(account);
    const expected = subject.provable[state];
    expect(await verify(connector, account, password)).toMatchObject(
      expected === 'holds'
        ? { result: 'holds' }
        : { result: 'inconclusive', reason: reasons[state] },
    );
  }
}
