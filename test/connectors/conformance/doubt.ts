import { performance } from 'node:perf_hooks';
import { type Connector, HARD_DEADLINE_MS } from '../../../connectors/contract';
import { connectorKinds } from '../../../connectors/registry';
import type { Armed, ServerProxy } from '../../support/proxy';
import { type Bench, freshPassword, verify, write } from './bench';
import type { Settings, TestAccount } from './subject';

/** The outcome of a write during which one request or reply was lost. */
interface Loss {
  /** The password was written, although the answer was ambiguous. */
  readonly appliedInDoubt: boolean;
}

/** A write during which an exchange was to be lost. */
interface Attempt {
  readonly account: TestAccount;
  readonly password: string;
  readonly answer: Awaited<ReturnType<typeof write>>;
  readonly isLost: boolean;
}

type Arming = (proxy: ServerProxy, nth: number) => Armed;

export const lostReplyTitle = (after: 'cut' | 'hang'): string =>
  `whichever reply of a write is lost (${after}), the answer is never rejected, it is retry only if nothing was written, and another attempt completes the write`;

/** Upper limit for the number of requests that a kind needs for one write. */
const MOST_TURNS = 40;

/**
 * With the settings `hasty` a call also fails if the machine is too slow for them. A step that must succeed is tried again
 * with longer time limits.
 */
const TRIES = 3;
/** Every kind accepts it. */
const MOST_TIMEOUT_MS = 8_000;

/** The settings of the first try (0), or of a further one. */
function patient(settings: Settings, tried: number): Settings {
  const { timeoutMs } = settings;
  if (typeof timeoutMs !== 'number') return settings;
  return { ...settings, timeoutMs: Math.min(timeoutMs * 4 ** tried, MOST_TIMEOUT_MS) };
}

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
      const { connector, proxy } = await proxied();
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
      endsInTime(write(connector, account, freshPassword())),
      ...(verifiable() ? [endsInTime(verify(connector, account, account.password))] : []),
      endsInTime(connector.state({ account: account.ref })),
      endsInTime(connector.find({ match: { [subject.findBy]: account.key }, limit: 1 })),
      endsInTime(connector.list({ cursor: null, pageSize: 10 })),
    ]);
    for (const answer of answers) expect(answer).toMatchObject(unreachable);
    await endsInTime(connector.check());
  });

  for (const [after, settings] of [
    ['cut', {}],
    ['hang', subject.hasty],
  ] as const) {
    promise(lostReplyTitle(after), async () => {
      const losses = await lossesOf((proxy, nth) => proxy.loseReply(nth, after), settings);
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
    const { connector, proxy } = await proxied();
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
    const writeAfterFailure = async (tried: number) => {
      const { connector, proxy } = await proxied(patient(subject.hasty, tried));
      await connector.state({ account: account.ref });
      const lost = proxy.loseReply(1, 'hang');
      await connector.state({ account: account.ref });
      expect(lost.happened()).toBe(true);
      const before = proxy.accepted();
      const { result } = await write(connector, account, freshPassword());
      return { result, isOnNewConnection: proxy.accepted() > before };
    };
    let written = await writeAfterFailure(0);
    for (let tried = 1; tried < TRIES && written.result !== 'applied'; tried++)
      written = await writeAfterFailure(tried);
    expect(written).toEqual({ result: 'applied', isOnNewConnection: true });
  });

  /** Loses the 1st, the 2nd, the 3rd … exchange of a write, on a new connector and then on one that is already in use. */
  async function lossesOf(arm: Arming, settings: Settings = {}): Promise<Loss[]> {
    const losses: Loss[] = [];
    for (const warm of [false, true]) {
      for (let nth = 1; ; nth++) {
        expect(nth).toBeLessThan(MOST_TURNS);
        const armed = (proxy: ServerProxy) => arm(proxy, nth);
        const loss = await lossOf((tried) => writeWith(armed, patient(settings, tried), warm));
        if (loss === null) break;
        losses.push(loss);
      }
    }
    return losses;
  }

  async function lossOf(attempt: (tried: number) => Promise<Attempt>): Promise<Loss | null> {
    let made = await attempt(0);
    for (let tried = 1; tried < TRIES && !made.isLost && made.answer.result !== 'applied'; tried++)
      made = await attempt(tried);
    const { account, password, answer, isLost } = made;
    if (!isLost) {
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

  async function writeWith(
    arm: (proxy: ServerProxy) => Armed,
    settings: Settings,
    warm: boolean,
  ): Promise<Attempt> {
    const account = await subject.account();
    const password = freshPassword();
    const { connector, proxy } = await proxied(settings);
    if (warm) await write(connector, await subject.account(), freshPassword());
    const armed = arm(proxy);
    const answer = await endsInTime(write(connector, account, password));
    return { account, password, answer, isLost: armed.happened() };
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

/** Expects that a call keeps the time limit of the contract. With `hasty` it ends much earlier. */
async function endsInTime<T>(call: Promise<T>): Promise<T> {
  const start = performance.now();
  const answer = await call;
  expect(performance.now() - start).toBeLessThan(HARD_DEADLINE_MS);
  return answer;
}
