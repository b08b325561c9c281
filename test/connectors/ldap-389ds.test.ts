import { startProxy } from '../support/proxy';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { conformance } from './conformance';
import { freshPassword, verify, write } from './conformance/bench';
import type { TestAccount } from './conformance/subject';
import { type Ds389Admin, ds389Admin, ds389Service, ds389Subject } from './ldap-389ds-subject';
import { openerOf } from './open-subject';

const UNWILLING = 53;
const CONSTRAINT_VIOLATION = 19;

let administrator: Promise<Ds389Admin> | undefined;
const admin = () => {
  administrator ??= ds389Admin();
  return administrator;
};
const subject = ds389Subject(admin);

const opened: { close(): Promise<void> }[] = [];
const open = openerOf(subject);
afterAll(async () => {
  for (const closable of opened) await closable.close();
  await (await administrator)?.close();
});

describeWith(['ds389'], 'ldap on 389 Directory Server', () => {
  conformance(subject);

  test('an account without an entryUUID is known by its nsUniqueId, and followed after a rename', async () => {
    const unaware = await open(ds389Service('unaware'));
    const account = await subject.account();
    const { nsUniqueId } = await (await admin()).read(account);
    const byName = { ...account, ref: { ...account.ref, nativeId: null } };
    const ref = { ...account.ref, nativeId: String(nsUniqueId) };
    expect(await write(unaware, byName, freshPassword())).toEqual({
      result: 'applied',
      account: ref,
    });
    const renamed = await subject.rename?.({ ...account, ref });
    for (const connector of [unaware, await open()]) {
      const password = freshPassword();
      expect(await write(connector, { ref }, password)).toEqual({
        result: 'applied',
        account: renamed?.ref,
      });
      expect(await verify(connector, { ref }, password)).toMatchObject({ result: 'holds' });
    }
  });

  describe('a locked account', () => {
    const locked = async () => {
      const account = await subject.account();
      await subject.lock?.(account);
      return account;
    };

    test('a locked account is locked after a write, whichever reply is lost', async () => {
      for (let nth = 1; ; nth++) {
        const account = await locked();
        const password = freshPassword();
        const proxy = await startProxy(subject.server);
        opened.push({ close: () => proxy.stop() });
        const url = `ldaps://127.0.0.1:${proxy.address.port}`;
        const through = await open({ url });
        const lost = proxy.loseReply(nth, 'cut');
        await write(through, account, password);
        expect(await (await admin()).logIn(account, password)).toBe(CONSTRAINT_VIOLATION);
        if (!lost.happened()) break;
      }
    });

    test('a locked account is not written by a service account that cannot restore the lock, and check warns about it', async () => {
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

    test('verify answers inconclusive for a locked account, whose logins all end with code 19', async () => {
      const account = await locked();
      const connector = await open();
      for (const password of [account.password, freshPassword()])
        expect(await verify(connector, account, password)).toEqual({
          result: 'inconclusive',
          reason: 'account_locked',
          vendorCode: null,
        });
    });

    test('an account is not locked after the end of its lock', async () => {
      const account = await locked();
      await (await admin()).replace(account, 'accountUnlockTime', '20200101000000Z');
      const connector = await open();
      expect(await connector.state({ account: account.ref })).toMatchObject({ locked: false });
      expect(await verify(connector, account, account.password)).toMatchObject({
        result: 'holds',
      });
    });
  });

  test('a person who must change the password must still do so after a write, and may do nothing else', async () => {
    const account = await subject.account();
    await subject.requireChange?.(account);
    const password = freshPassword();
    expect(await write(await open(), account, password)).toMatchObject({ result: 'applied' });
    expect(await (await admin()).readsItself(account, password)).toBe(UNWILLING);
  });

  test('a write forces no change, although the policy forces one after a reset', async () => {
    const account = await subject.account();
    const password = freshPassword();
    expect(await write(await open(), account, password)).toMatchObject({ result: 'applied' });
    await recorded(account);
    expect(await (await admin()).readsItself(account, password)).toBe(0);
  });

  test('check warns about a service account that is a password administrator, whose writes force a change', async () => {
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

  test('check warns about a policy that does not record the time of a change', async () => {
    const policy = await (await admin()).addPolicy({ passwordTrackUpdateTime: 'off' });
    const findings = await (await open()).check();
    await (await admin()).client.del(policy);
    const warnings = findings.filter(({ check }) => check === 'time-of-change');
    expect(warnings).toEqual([
      {
        ...{ check: 'time-of-change', verdict: 'warning' },
        says: expect.stringContaining(`${policy} does not record`),
      },
    ]);
  });

  test('a write of the current password answers already_current, and one of an old password is rejected', async () => {
    const connector = await open();
    const account = await subject.account();
    expect(await write(connector, account, account.password)).toMatchObject({
      result: 'already_current',
    });
    expect(await write(connector, account, freshPassword())).toMatchObject({ result: 'applied' });
    await recorded(account);
    expect(await write(connector, account, account.password)).toMatchObject({
      result: 'rejected',
      reason: 'policy_history',
    });
  });

  test('a password that looks like a hash is rejected, even if the server would store it as a hash', async () => {
    const connector = await open(ds389Service('manager'));
    const account = await subject.account();
    const hash = '{CLEAR}really-mine-1';
    expect(await write(connector, account, hash)).toMatchObject({
      result: 'rejected',
      reason: 'policy_quality',
    });
    expect(await (await admin()).logIn(account, account.password)).toBe(0);
  });

  test('a change is forced at the next login, and not where the policy would ignore that', async () => {
    const connector = await open();
    const act = ({ ref }: TestAccount) => connector.act?.({ account: ref, action: 'force-change' });
    const account = await subject.account();
    expect(await (await admin()).readsItself(account, account.password)).toBe(0);
    expect(await act(account)).toMatchObject({ result: 'done' });
    expect(await (await admin()).readsItself(account, account.password)).toBe(UNWILLING);
    const pwdPolicySubentry = await (await admin()).addPolicy({ passwordMustChange: 'off' });
    const lenient = await (await admin()).addAccount({ pwdPolicySubentry });
    const before = await (await admin()).read(lenient);
    expect(await act(lenient)).toEqual({
      result: 'failed',
      reason: 'not_supported',
      vendorCode: 'passwordMustChange',
    });
    expect(await (await admin()).read(lenient)).toEqual(before);
  });

  /** Waits until the server has recorded the write, which it does a moment after its reply. */
  async function recorded(account: TestAccount): Promise<void> {
    await until(async () => (await (await admin()).read(account)).pwdUpdateTime !== undefined);
  }
});
