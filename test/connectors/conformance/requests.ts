import { writeAndVerify } from '../../../activities/attempt/write-and-verify';
import type { AccountRef, Connector } from '../../../connectors/contract';
import { Secret } from '../../../model/passwords/secret';
import { type Bench, freshPassword, needed, remembered, write } from './bench';
import type { TestAccount } from './subject';

/** One change of a known account makes the requests that it needs, and no others. */
export function requestPromises({ subject, promise, direct }: Bench): void {
  promise('a write and its verification make exactly these requests', async () => {
    const { record, requests } = needed(subject.proved, 'proved');
    const [connector, account] = [await direct(), await subject.account()];
    // The first attempt opens the connections and fills the caches.
    expect(await attempt(connector, account)).toMatchObject({ state: 'applied' });
    const stop = record();
    expect(await attempt(connector, account)).toMatchObject({ state: 'applied' });
    expect(stop()).toEqual(requests);
  });

  promise('a verification right after a write distinguishes the written password', async () => {
    const [connector, account] = [await direct(), await subject.account()];
    const password = freshPassword();
    const written = await writtenBy(connector, account, password);
    const holds = await verifyAfter(connector, account, password, written);
    expect(holds).toMatchObject({ result: 'holds' });
    const differs = await verifyAfter(connector, account, freshPassword(), written);
    expect(differs).toMatchObject({ result: 'differs' });
  });

  promise('an account that is renamed right after its write is not taken for another', async () => {
    const [connector, account] = [await direct(), await subject.account()];
    const password = freshPassword();
    const written = await writtenBy(connector, account, password);
    await needed(subject.rename, 'rename')(account);
    const answer = await verifyAfter(connector, account, password, written);
    expect(answer.result).not.toBe('differs');
  });
}

async function writtenBy(
  connector: Connector,
  account: TestAccount,
  password: string,
): Promise<AccountRef | undefined> {
  const answer = await write(connector, account, password);
  if (answer.result !== 'applied') throw new Error(`The write answered ${answer.result}`);
  return answer.account;
}

async function verifyAfter(
  connector: Connector,
  { ref: account }: TestAccount,
  text: string,
  written: AccountRef | undefined,
) {
  const password = Secret.fromText(remembered(text));
  return connector
    .verify({ account, password, form: 'plaintext', ...(written && { written }) })
    .finally(() => password.destroy());
}

async function attempt(connector: Connector, { ref }: TestAccount) {
  const next = Secret.fromText(remembered(freshPassword()));
  return writeAndVerify({
    account: {
      ...{ label: 'apps', source: 'apps', role: 'member', accountId: 'acc_1', ...ref },
      ...{ idLearnt: true, problem: null, attempts: 1, unknowns: 1, held: false, probe: null },
      ...{ inDoubt: false, origin: false, holdsNormalized: false, untouchedSince: null },
      ...{ touchedBefore: false, position: 0, lastReason: null, leasedBefore: null },
      ...{ leasedUntil: null, verdict: 'claimed' },
    },
    connector,
    passwords: { next, current: null, form: 'plaintext', seed: Secret.fromText('seed') },
    of: { changeId: 'chg_1', label: 'apps', accountId: 'acc_1', seq: 1 },
    guard: { open: async () => true, settle: async () => {} },
    ...{ prove: 'always', aim: 'write', claimIsFresh: () => true, onRead: async () => {} },
  });
}
