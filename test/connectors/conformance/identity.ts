import type { AccountRef, Connector } from '../../../connectors/contract';
import { connectorKinds } from '../../../connectors/registry';
import type { Reason } from '../../../model/errors';
import { linkedAccount, type Naming } from '../../../model/people/naming';
import { type Bench, freshPassword, needed, verify, write } from './bench';
import type { TestAccount } from './subject';

/** Page size of the lists, so that each has several pages. */
const FEW = 3;

/** An account is one account: nothing is written to an account that the link does not mean. */
export function identityPromises({ subject, promise, direct, proxied }: Bench): void {
  let connector: Connector;
  beforeAll(async () => {
    connector = await direct();
  });
  const kind = connectorKinds.get(subject.kind);
  const naming = (): Naming => {
    if (kind === undefined) throw new Error(`No connector kind ${subject.kind}`);
    return kind.namingOf(subject.settings(subject.server));
  };
  const isLasting = ({ ref }: TestAccount) => naming().isLasting(ref.nativeId ?? '');
  const verifies = () => kind?.traitsOf(subject.settings(subject.server)).proof !== 'none';

  promise(
    'a renamed account is followed by its id if the id is lasting, and else nothing is written',
    async () => {
      const account = await subject.account();
      const renamed = await needed(subject.rename, 'rename')(account);
      if (isLasting(account)) await expectFollowed(account, renamed);
      else {
        await expectRefused(account, 'account_renamed');
        await expectUnwritten(renamed);
      }
    },
  );

  promise('another account that has got the name of the account is not written', async () => {
    const account = await subject.account();
    await needed(subject.remove, 'remove')(account);
    const heir = await needed(subject.create, 'create')(account.ref.name);
    await expectRefused(account, 'account_replaced', heir.password);
    await expectUnwritten(heir);
  });

  promise('another account that has got the name of a renamed account is not written', async () => {
    const account = await subject.account();
    const renamed = await needed(subject.rename, 'rename')(account);
    const heir = await needed(subject.create, 'create')(account.ref.name);
    if (isLasting(account)) await expectFollowed(account, renamed);
    else {
      await expectRefused(account, 'account_renamed', heir.password);
      await expectUnwritten(renamed);
    }
    await expectUnwritten(heir);
  });

  promise('another account that has got the id of the account is not written', async () => {
    const account = await subject.account();
    const heir = await needed(subject.giveId, 'giveId')(account);
    expect(heir.ref.nativeId).toBe(account.ref.nativeId);
    await expectRefused(account, 'account_renamed', heir.password);
    await expectUnwritten(heir);
  });

  promise('an account that was created again under its name is not written', async () => {
    const account = await subject.account();
    const unlinked = { ...account, ref: { ...account.ref, nativeId: null } };
    await needed(subject.remove, 'remove')(account);
    await expectRefused(account, 'no_account');
    const heir = await needed(subject.create, 'create')(account.ref.name);
    await expectRefused(account, 'account_replaced', heir.password);
    // A link without an id means the account that has the name now, and learns its id.
    expect(await state(unlinked.ref)).toMatchObject({ account: heir.ref });
  });

  promise('the name of an account in another spelling names the same account', async () => {
    const account = await subject.account();
    for (const name of needed(subject.spellings, 'spellings')(account.ref.name)) {
      const spelled = { ...account, ref: { ...account.ref, name } };
      expect(naming().canonicalName(name)).toBe(naming().canonicalName(account.ref.name));
      const password = freshPassword();
      expect(await write(connector, spelled, password)).toMatchObject({ result: 'applied' });
      expect(await subject.logsIn(account, password)).toBe(true);
      const byName = { ...spelled, ref: { ...spelled.ref, nativeId: null } };
      const another = freshPassword();
      expect(await write(connector, byName, another)).toMatchObject({ result: 'applied' });
      expect(await subject.logsIn(account, another)).toBe(true);
      if (verifies())
        expect(await verify(connector, byName, another)).toMatchObject({ result: 'holds' });
    }
  });

  promise('a write and a read return the id of an account that is linked by its name', async () => {
    const account = await subject.account();
    const byName = { ...account, ref: { ...account.ref, nativeId: null } };
    const answer = await write(connector, byName, freshPassword());
    expect(answer).toMatchObject({ result: 'applied' });
    const known = 'account' in answer && answer.account !== undefined ? answer.account : null;
    expect(known).not.toBeNull();
    expectSame(known, account.ref);
    const read = await state(byName.ref);
    expectSame(read.result === 'state' ? read.account : null, account.ref);
  });

  promise('the account with which Lockstep signs in is refused as a target', async () => {
    const { account, settings = {} } = await needed(subject.ownAccount, 'ownAccount')();
    const own = await direct(settings);
    for (const nativeId of [account.ref.nativeId, null]) {
      const target = { ...account, ref: { ...account.ref, nativeId } };
      await expectRefused(target, 'service_account', account.password, own);
    }
    await expectUnwritten(account);
    const { names } = await listed(own);
    expect(names.length).toBeGreaterThan(0);
    expect(names.map(naming().canonicalName)).not.toContain(
      naming().canonicalName(account.ref.name),
    );
    if (account.key !== '')
      expect(await own.find({ match: { [subject.findBy]: account.key }, limit: 2 })).toEqual({
        result: 'found',
        accounts: [],
      });
  });

  promise('a list of which a page is lost ends with a failure', async () => {
    await Promise.all(Array.from({ length: FEW + 1 }, () => subject.account()));
    const { connector: cutOff, proxy } = await proxied();
    const first = await cutOff.list({ cursor: null, pageSize: FEW });
    if (first.result !== 'page' || first.cursor === null) throw new Error('The list has one page');
    await proxy.refuse();
    proxy.cut();
    expect(await cutOff.list({ cursor: first.cursor, pageSize: FEW })).toMatchObject({
      result: 'failed',
    });
  });

  promise(
    'an account that cannot be read is named in the list, and the others are listed',
    async () => {
      const before = await subject.account();
      const { shown, remove } = await needed(subject.unreadable, 'unreadable')();
      const after = await subject.account();
      try {
        const { names, malformed } = await listed(connector);
        expect(names).toEqual(expect.arrayContaining([before.ref.name, after.ref.name]));
        expect(malformed).toContainEqual(expect.stringContaining(shown));
      } finally {
        await remove();
      }
    },
  );

  const state = (account: AccountRef) => connector.state({ account });

  async function expectFollowed(account: TestAccount, renamed: TestAccount): Promise<void> {
    const password = freshPassword();
    expect(await write(connector, account, password)).toMatchObject({
      result: 'applied',
      account: renamed.ref,
    });
    expect(await subject.logsIn(renamed, password)).toBe(true);
    expect(await state(account.ref)).toMatchObject({ account: renamed.ref });
    if (verifies())
      expect(await verify(connector, account, password)).toMatchObject({ result: 'holds' });
  }

  async function expectRefused(
    account: TestAccount,
    reason: Reason,
    password = account.password,
    by = connector,
  ): Promise<void> {
    expect(await write(by, account, freshPassword())).toMatchObject({ result: 'rejected', reason });
    expect(await by.state({ account: account.ref })).toMatchObject({ result: 'failed', reason });
    if (verifies())
      expect(await verify(by, account, password)).toMatchObject({ result: 'inconclusive', reason });
  }

  const expectUnwritten = async (account: TestAccount) =>
    expect(await subject.logsIn(account, account.password)).toBe(true);

  function expectSame(account: AccountRef | null, expected: AccountRef): void {
    expect(account).not.toBeNull();
    if (account !== null)
      expect(linkedAccount(naming(), expected, account, null)).toMatchObject({ found: true });
  }
}

async function listed(connector: Connector) {
  const names: string[] = [];
  const malformed: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await connector.list({ cursor, pageSize: 100 });
    if (page.result !== 'page') throw new Error(`list answered ${page.reason}`);
    names.push(...page.accounts.map(({ name }) => name));
    malformed.push(...(page.malformed ?? []));
    cursor = page.cursor;
  } while (cursor !== null);
  return { names, malformed };
}
