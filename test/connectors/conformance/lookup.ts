import type { Connector } from '../../../connectors/contract';
import { until } from '../../support/until';
import { type Bench, freshPassword, needed, write } from './bench';

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

/** The clock of the server and ours may differ, and some sources keep whole seconds. */
const CLOCK_SLACK_MS = 2_000;

export function lookupPromises({ subject, promise, direct }: Bench): void {
  let connector: Connector;
  beforeAll(async () => {
    connector = await direct();
  });
  const find = (value: string) => connector.find({ match: { [subject.findBy]: value }, limit: 10 });

  promise('find: the one account that matches, with its native id and attributes', async () => {
    const account = await subject.account();
    const answer = await find(account.key);
    expect(answer).toMatchObject({ result: 'found', accounts: [account.ref] });
    if (answer.result === 'found')
      expect(answer.accounts[0]?.attributes[subject.findBy]).toBe(account.key);
  });

  promise('find: nothing that only resembles the value', async () => {
    const { key } = await subject.account();
    for (const value of [key.slice(0, -1), `${key}x`, `*${key.slice(1)}`, `${key.slice(0, -1)}_`])
      expect(await find(value)).toEqual({ result: 'found', accounts: [] });
  });

  for (const value of hostile) {
    promise(`find: ${JSON.stringify(value)} is only a value`, async () => {
      await subject.account();
      expect(await find(value)).toEqual({ result: 'found', accounts: [] });
    });
  }

  promise('list: every account exactly once, in small pages', async () => {
    const made = await Promise.all(Array.from({ length: 5 }, () => subject.account()));
    const names: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await connector.list({ cursor, pageSize: 7 });
      if (page.result !== 'page') throw new Error(`list answered ${page.reason}`);
      expect(page.accounts.length).toBeLessThanOrEqual(7);
      names.push(...page.accounts.map((account) => account.name));
      cursor = page.cursor;
    } while (cursor !== null);
    expect(new Set(names).size).toBe(names.length);
    for (const account of made) expect(names).toContain(account.ref.name);
  });

  promise('state: an active account is neither disabled, locked nor to change', async () => {
    expect(await stateAfter(async () => {})).toMatchObject({
      disabled: false,
      locked: false,
      mustChange: false,
    });
  });

  promise('state: a disabled account is disabled', async () => {
    expect(await stateAfter(needed(subject.disable, 'disable'))).toMatchObject({ disabled: true });
  });

  promise('state: a locked account is locked, not disabled', async () => {
    expect(await stateAfter(needed(subject.lock, 'lock'))).toMatchObject({
      locked: true,
      disabled: false,
    });
  });

  promise('state: an account that must change its password says so', async () => {
    expect(await stateAfter(needed(subject.requireChange, 'requireChange'))).toMatchObject({
      mustChange: true,
    });
  });

  promise('state: tells when the password was changed', async () => {
    const account = await subject.account();
    const start = Date.now();
    await write(connector, account, freshPassword());
    let changedAt = 0;
    // A server may note it a moment after it has answered (389 Directory Server).
    await until(async () => {
      const state = await connector.state({ account: account.ref });
      if (state.result !== 'state') throw new Error(`state answered ${state.reason}`);
      changedAt = state.passwordChangedAt?.getTime() ?? 0;
      return changedAt > start - CLOCK_SLACK_MS;
    });
    expect(changedAt).toBeLessThan(Date.now() + CLOCK_SLACK_MS);
  });

  promise('state: an account that does not exist: no_account', async () => {
    const account = subject.absent('nobody');
    expect(await connector.state({ account })).toMatchObject({
      result: 'failed',
      reason: 'no_account',
    });
  });

  async function stateAfter(
    put: (account: Awaited<ReturnType<typeof subject.account>>) => Promise<void>,
  ) {
    const account = await subject.account();
    await put(account);
    return connector.state({ account: account.ref });
  }
}
