import type { Connector } from '../../connectors/contract';
import { connectorKinds } from '../../connectors/registry';
import { Secret } from '../../model/passwords/secret';
import { startProxy } from '../support/proxy';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { conformance } from './conformance';
import { freshPassword, verify, write } from './conformance/bench';
import type { Settings, TestAccount } from './conformance/subject';
import { type Ds389Admin, ds389Admin, ds389Service, ds389Subject } from './ldap-389ds-subject';

const UNWILLING = 53;
const CONSTRAINT_VIOLATION = 19;

let administrator: Promise<Ds389Admin> | undefined;
const admin = () => {
  administrator ??= ds389Admin();
  return administrator;
};
const subject = ds389Subject(admin);

const opened: { close(): Promise<void> }[] = [];
afterAll(async () => {
  for (const closable of opened) await closable.close();
  await (await administrator)?.close();
});

async function open(changes: Settings = {}): Promise<Connector> {
  const settings = { ...subject.settings(subject.server), ...changes };
  const connector = await connectorKinds.get('ldap')?.open(settings, {
    resolve: (reference) => Secret.fromText(subject.secrets[reference] ?? ''),
  });
  if (connector === undefined) throw new Error('There is no kind ldap');
  opened.push(connector);
  return connector;
}

describeWith(['ds389'], 'ldap on 389 Directory Server', () => {
  conformance(subject);

  describe('an account that is locked', () => {
    const locked = async () => {
      const account = await subject.account();
      await subject.lock?.(account);
      return account;
    };

    test('is locked again after a write, whichever reply is lost on the way', async () => {
      for (let nth = 1; ; nth++) {
        const account = await locked();
        const password = freshPassword();
        const proxy = await startProxy(subject.server);
        opened.push({ close: () => proxy.stop() });
        const url = `ldaps://127.0.0.1:${proxy.address.port}`;
        const through = await open({ url, timeoutMs: 500 });
        const lost = proxy.loseReply(nth, 'cut');
        await write(through, account, password);
        expect(await (await admin()).logIn(account, password)).toBe(CONSTRAINT_VIOLATION);
        if (!lost.happened()) break;
      }
    });

    test('is not written without the right to lock it again, and doctor says so', async () => {
      const writer = await open(ds389Service('writer'));
      const account = await locked();
      expect(await write(writer, account, freshPassword())).toMatchObject({
        result: 'rejected',
        reason: 'no_rights',
      });
      expect(await (await admin()).logIn(account, account.password)).toBe(CONSTRAINT_VIOLATION);
      expect(await writer.check()).toContainEqual(
        expect.objectContaining({ check: 'keep-lock', verdict: 'warning' }),
      );
    });

    test('hears 19 to every login, which is no word about the password', async () => {
      const account = await locked();
      const connector = await open();
      for (const password of [account.password, freshPassword()])
        expect(await verify(connector, account, password)).toEqual({
          result: 'inconclusive',
          reason: 'account_locked',
          vendorCode: null,
        });
    });

    test('is not locked any more when its time is over', async () => {
      const account = await locked();
      await (await admin()).replace(account, 'accountUnlockTime', '20200101000000Z');
      const connector = await open();
      expect(await connector.state({ account: account.ref })).toMatchObject({ locked: false });
      expect(await verify(connector, account, account.password)).toMatchObject({
        result: 'holds',
      });
    });
  });

  test('whoever must change the password must still do it after a write, and may do nothing else', async () => {
    const account = await subject.account();
    await subject.requireChange?.(account);
    const password = freshPassword();
    expect(await write(await open(), account, password)).toEqual({ result: 'applied' });
    expect(await (await admin()).reads(account, password)).toBe(UNWILLING);
  });

  test('a write forces no change, although the policy wants one after a reset', async () => {
    const account = await subject.account();
    const password = freshPassword();
    expect(await write(await open(), account, password)).toEqual({ result: 'applied' });
    await noted(account);
    expect(await (await admin()).reads(account, password)).toBe(0);
  });

  test('a password administrator, after whose writes everybody must change, is told by doctor', async () => {
    const findings = await (await open(ds389Service('manager'))).check();
    expect(findings).toContainEqual(
      expect.objectContaining({
        check: 'policy',
        verdict: 'warning',
        says: expect.stringContaining('passwordMustChange'),
      }),
    );
    expect(findings).toContainEqual(
      expect.objectContaining({
        check: 'server',
        says: expect.stringMatching(/389 Directory Server \(389-Directory\/\d/),
      }),
    );
  });

  test('the password of now is already current, one of before is refused', async () => {
    const connector = await open();
    const account = await subject.account();
    expect(await write(connector, account, account.password)).toEqual({
      result: 'already_current',
    });
    expect(await write(connector, account, freshPassword())).toEqual({ result: 'applied' });
    await noted(account);
    expect(await write(connector, account, account.password)).toMatchObject({
      result: 'rejected',
      reason: 'policy_history',
    });
  });

  test('a password that looks like a hash is never stored as one, also where the server would', async () => {
    const connector = await open(ds389Service('manager'));
    const account = await subject.account();
    const hash = '{CLEAR}really-mine-1';
    expect(await write(connector, account, hash)).toMatchObject({
      result: 'rejected',
      reason: 'policy_quality',
    });
    expect(await (await admin()).logIn(account, account.password)).toBe(0);
  });

  /** The server keeps the old password a moment after it has answered. */
  async function noted(account: TestAccount): Promise<void> {
    await until(async () => (await (await admin()).read(account)).pwdUpdateTime !== undefined);
  }
});
