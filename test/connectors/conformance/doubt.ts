import { performance } from 'node:perf_hooks';
import type { Connector } from '../../../connectors/contract';
import { connectorKinds } from '../../../connectors/registry';
import type { Armed, ServerProxy } from '../../support/proxy';
import { type Bench, freshPassword, verify, write } from './bench';
import type { TestAccount } from './subject';

/** The outcome of a write during which one request or reply was lost. */
interface Loss {
  /** The password was written, although the answer was ambiguous. */
  readonly appliedInDoubt: boolean;
}

export const lostReplyTitle = (after: 'cut' | 'hang'): string =>
  `whichever reply of a write is lost (${after}), the answer is never rejected, it is retry only if nothing was written, and another attempt completes the write`;

/** Upper limit for the number of requests that a kind needs for one write. */
const MOST_TURNS = 40;

export function doubtPromises({ subject, promise, direct, proxied }: Bench): void {
  let witness: Connector;
  const verifiable = () =>
    connectorKinds.get(subject.kind)?.traitsOf(subject.settings(subject.server)).proof !== 'none';
  beforeAll(async () => {
    witness = await direct();
  });

  promise(
    'a write to a server that is down answers retry with unreachable, and nothing is sent',
    async () => {
      const account = await subject.account();
      const { connector, proxy } = await proxied(subject.hasty);
      await proxy.refuse();
      expect(await write(connector, account, freshPassword())).toMatchObject({
        result: 'retry',
        reason: 'unreachable',
      });
      expect(await subject.logsIn(account, account.password)).toBe(true);
    },
  );

  promise('every call ends if the server accepts the connection and never answers', async () => {
    const account = await subject.account();
    const { connector, proxy } = await proxied(subject.hasty);
    proxy.silence();
    const unreachable = { reason: 'unreachable' };
    const answers = await Promise.all([
      endsSoon(write(connector, account, freshPassword())),
      ...(verifiable() ? [endsSoon(verify(connector, account, account.password))] : []),
      endsSoon(connector.state({ account: account.ref })),
      endsSoon(connector.find({ match: { [subject.findBy]: account.key }, limit: 1 })),
      endsSoon(connector.list({ cursor: null, pageSize: 10 })),
    ]);
    for (const answer of answers) expect(answer).toMatchObject(unreachable);
    await endsSoon(connector.check());
  });

  for (const after of ['cut', 'hang'] as const) {
    promise(lostReplyTitle(after), async () => {
      const losses = await lossesOf((proxy, nth) => proxy.loseReply(nth, after));
      // The reply to the write itself was among the lost ones.
      expect(losses.some((loss) => loss.appliedInDoubt)).toBe(true);
    });
  }

  promise(
    'whichever request of a write is cut off before it is sent, the answer is never rejected, and another attempt completes the write',
    async () => {
      const losses = await lossesOf((proxy, nth) => proxy.cutBeforeRequest(nth));
      expect(losses.length).toBeGreaterThan(0);
    },
  );

  promise('the connector works again by itself when the server is back', async () => {
    const account = await subject.account();
    const { connector, proxy } = await proxied(subject.hasty);
    expect(await write(connector, account, freshPassword())).toMatchObject({ result: 'applied' });
    await proxy.refuse();
    proxy.cut();
    expect(['retry', 'ambiguous']).toContain(
      (await write(connector, account, freshPassword())).result,
    );
    await proxy.pass();
    const password = freshPassword();
    expect(await write(connector, account, password)).toMatchObject({ result: 'applied' });
    expect(await subject.logsIn(account, password)).toBe(true);
  });

  promise('a connection that failed is not used again', async () => {
    const account = await subject.account();
    const { connector, proxy } = await proxied(subject.hasty);
    await connector.state({ account: account.ref });
    const lost = proxy.loseReply(1, 'hang');
    await connector.state({ account: account.ref });
    expect(lost.happened()).toBe(true);
    const before = proxy.accepted();
    expect(await write(connector, account, freshPassword())).toMatchObject({ result: 'applied' });
    expect(proxy.accepted()).toBeGreaterThan(before);
  });

  /** Loses the 1st, the 2nd, the 3rd … exchange of a write, on a new connector and then on one that is already in use. */
  async function lossesOf(arm: (proxy: ServerProxy, nth: number) => Armed): Promise<Loss[]> {
    const losses: Loss[] = [];
    for (const warm of [false, true]) {
      for (let nth = 1; ; nth++) {
        expect(nth).toBeLessThan(MOST_TURNS);
        const loss = await lossOf(nth, warm, arm);
        if (loss === null) break;
        losses.push(loss);
      }
    }
    return losses;
  }

  async function lossOf(
    nth: number,
    warm: boolean,
    arm: (proxy: ServerProxy, nth: number) => Armed,
  ): Promise<Loss | null> {
    const account = await subject.account();
    const password = freshPassword();
    const { connector, proxy } = await proxied(subject.hasty);
    if (warm) await write(connector, await subject.account(), freshPassword());
    const armed = arm(proxy, nth);
    const answer = await endsSoon(write(connector, account, password));
    if (!armed.happened()) {
      expect(answer).toMatchObject({ result: 'applied' });
      return null;
    }
    const applied = await subject.logsIn(account, password);
    expect(['retry', 'ambiguous', 'applied']).toContain(answer.result);
    if (answer.result === 'retry') expect(applied).toBe(false);
    if (answer.result === 'applied') expect(applied).toBe(true);
    await settle(account, password, applied);
    return { appliedInDoubt: applied && answer.result === 'ambiguous' };
  }

  /** Does what Lockstep does next: it verifies the password if the kind can do that, and writes it again. */
  async function settle(account: TestAccount, password: string, applied: boolean): Promise<void> {
    const verdict = await verify(witness, account, password);
    if (verifiable()) expect(verdict.result).toBe(applied ? 'holds' : 'differs');
    else expect(verdict).toMatchObject({ result: 'inconclusive', reason: 'not_supported' });
    const again = await write(witness, account, password);
    expect(['applied', 'already_current']).toContain(again.result);
    expect(await subject.logsIn(account, password)).toBe(true);
  }
}

/** With the settings `hasty` each step of a call ends after half a second, and a call has only a few steps. */
async function endsSoon<T>(call: Promise<T>): Promise<T> {
  const start = performance.now();
  const answer = await call;
  expect(performance.now() - start).toBeLessThan(5_000);
  return answer;
}
