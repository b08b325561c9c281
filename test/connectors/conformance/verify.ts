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

  promise('verify answers holds for a written password and differs for the old one', async () => {
    const account = await subject.account();
    const password = freshPassword();
    await write(connector, account, password);
    expect(await verify(connector, account, password)).toMatchObject({ result: 'holds' });
    expect(await verify(connector, account, account.password)).toMatchObject({
      result: 'differs',
    });
  });

  promise('verify never answers differs for the new password of a disabled account', () =>
    expectNotDiffers('disabled', needed(subject.disable, 'disable')),
  );

  promise('verify never answers differs for the new password of a locked account', () =>
    expectNotDiffers('locked', needed(subject.lock, 'lock')),
  );

  promise('verify answers holds for an account that must change its password', async () => {
    const account = await subject.account();
    await needed(subject.requireChange, 'requireChange')(account);
    expect(await verify(connector, account, account.password)).toMatchObject({ result: 'holds' });
  });

  promise(
    'a verification does not disturb the next one, of the same or another account',
    async () => {
      const [first, second] = [await subject.account(), await subject.account()];
      for (const account of [first, second, first]) {
        expect(await verify(connector, account, freshPassword())).toMatchObject({
          result: 'differs',
        });
        expect(await verify(connector, account, account.password)).toMatchObject({
          result: 'holds',
        });
      }
    },
  );

  promise('verify makes exactly one login', async () => {
    const failedLogins = needed(subject.failedLogins, 'failedLogins');
    const account = await subject.account();
    expect(await failedLogins(account)).toBe(0);
    await verify(connector, account, freshPassword());
    expect(await failedLogins(account)).toBe(1);
  });

  promise('verify answers inconclusive with unreachable if the server is down', async () => {
    const account = await subject.account();
    const { connector: cutOff, proxy } = await proxied();
    await proxy.refuse();
    expect(await verify(cutOff, account, account.password)).toMatchObject({
      result: 'inconclusive',
      reason: 'unreachable',
    });
  });

  const reasons = { disabled: 'account_disabled', locked: 'account_locked' } as const;

  async function expectNotDiffers(
    state: 'disabled' | 'locked',
    prepare: (account: TestAccount) => Promise<void>,
  ): Promise<void> {
    const account = await subject.account();
    const password = freshPassword();
    await write(connector, account, password);
    await prepare(account);
    const expected = subject.provable[state];
    expect(await verify(connector, account, password)).toMatchObject(
      expected === 'holds'
        ? { result: 'holds' }
        : { result: 'inconclusive', reason: reasons[state] },
    );
  }
}
