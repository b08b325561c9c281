import type { Connector } from '../../../connectors/contract';
import { findCases, stateCases } from '../../../connectors/trial/cases';
import { until } from '../../support/until';
import { type Bench, freshPassword, needed, trialOf, write } from './bench';

/** Tolerance for times: the clock of the server may differ from ours, and some sources keep whole seconds. */
const CLOCK_SLACK_MS = 2_000;

export function lookupPromises({ subject, promise, direct }: Bench): void {
  let connector: Connector;
  beforeAll(async () => {
    connector = await direct();
  });
  const trial = trialOf(subject, () => connector);
  for (const { title, run } of [...findCases, ...stateCases]) promise(title, () => run(trial));

  promise('list returns every account exactly once, in small pages', async () => {
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

  promise('state shows a disabled account as disabled', async () => {
    expect(await stateAfter(needed(subject.disable, 'disable'))).toMatchObject({ disabled: true });
  });

  promise('state shows a locked account as locked and not as disabled', async () => {
    expect(await stateAfter(needed(subject.lock, 'lock'))).toMatchObject({
      locked: true,
      disabled: false,
    });
  });

  promise('state shows that an account must change its password', async () => {
    expect(await stateAfter(needed(subject.requireChange, 'requireChange'))).toMatchObject({
      mustChange: true,
    });
  });

  promise('state shows when the password was changed', async () => {
    const account = await subject.account();
    const start = Date.now();
    await write(connector, account, freshPassword());
    let changedAt = 0;
    // 389 Directory Server records the time a moment after its reply.
    await until(async () => {
      const state = await connector.state({ account: account.ref });
      if (state.result !== 'state') throw new Error(`state answered ${state.reason}`);
      changedAt = state.passwordChangedAt?.getTime() ?? 0;
      return changedAt > start - CLOCK_SLACK_MS;
    });
    expect(changedAt).toBeLessThan(Date.now() + CLOCK_SLACK_MS);
  });

  async function stateAfter(
    prepare: (account: Awaited<ReturnType<typeof subject.account>>) => Promise<void>,
  ) {
    const account = await subject.account();
    await prepare(account);
    return connector.state({ account: account.ref });
  }
}
