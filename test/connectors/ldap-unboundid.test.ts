import { describeWith } from '../support/servers';
import { conformance } from './conformance';
import { freshPassword, verify, write } from './conformance/bench';
import type { DirectoryAdmin } from './directory-admin';
import { unboundidAdmin, unboundidService, unboundidSubject } from './ldap-unboundid-subject';
import { openerOf } from './open-subject';

let administrator: Promise<DirectoryAdmin> | undefined;
const admin = () => {
  administrator ??= unboundidAdmin();
  return administrator;
};
const subject = unboundidSubject(admin);

const open = openerOf(subject);
afterAll(async () => (await administrator)?.close());

describeWith(['unboundid'], 'ldap on a server with the extensions of PingDirectory', () => {
  conformance(subject);

  test('a verification without a login counts no failure and locks nothing', async () => {
    const connector = await open();
    const account = await subject.account();
    const before = await subject.entry(account);
    for (let attempts = 0; attempts < 10; attempts++)
      expect(await verify(connector, account, freshPassword())).toMatchObject({
        result: 'differs',
      });
    expect(await verify(connector, account, account.password)).toEqual({
      result: 'holds',
      proof: 'hash',
    });
    expect(await subject.entry(account)).toEqual(before);
  });

  test('verify answers differs for a wrong password of a locked or disabled account', async () => {
    const connector = await open();
    for (const prepare of [subject.lock, subject.disable]) {
      const account = await subject.account();
      await prepare?.(account);
      expect(await verify(connector, account, freshPassword())).toMatchObject({
        result: 'differs',
      });
    }
  });

  test('verify compares passwords with characters that JSON escapes', async () => {
    const connector = await open();
    for (const password of ['"\\\u0001\t\u007f"', String.raw`\u0041\"`, '🔑"é\\"']) {
      const account = await subject.account();
      const long = `${password}-long-enough`;
      expect(await write(connector, account, long)).toMatchObject({ result: 'applied' });
      expect(await verify(connector, account, long)).toMatchObject({ result: 'holds' });
      expect(await verify(connector, account, `${long}"`)).toMatchObject({ result: 'differs' });
    }
  });

  test('verify makes a single login if the service account may not let the server compare', async () => {
    const writer = await open(unboundidService('writer'));
    const account = await subject.account();
    expect(await verify(writer, account, account.password)).toEqual({
      result: 'holds',
      proof: 'login',
    });
    expect(await verify(writer, account, freshPassword())).toMatchObject({ result: 'differs' });
    const { pwdFailureTime } = await (await admin()).read(account);
    expect([pwdFailureTime].flat()).toHaveLength(1);
  });

  test('verify by login answers inconclusive for a locked account', async () => {
    const writer = await open(unboundidService('writer'));
    const account = await subject.account();
    await subject.lock?.(account);
    expect(await verify(writer, account, account.password)).toMatchObject({
      result: 'inconclusive',
      reason: 'account_locked',
    });
  });

  test('a locked account is written only after its lock has ended', async () => {
    const connector = await open();
    const account = await subject.account();
    await subject.lock?.(account);
    const password = freshPassword();
    expect(await write(connector, account, password)).toMatchObject({
      result: 'retry',
      reason: 'account_locked',
    });
    expect(await connector.state({ account: account.ref })).toMatchObject({ locked: true });
    await (await admin()).replace(account, 'pwdAccountLockedTime');
    expect(await write(connector, account, password)).toMatchObject({ result: 'applied' });
  });

  test('check reports the recognized server, and whether the service account can read the state of accounts', async () => {
    const state = (verdict: string) => expect.objectContaining({ check: 'keep-lock', verdict });
    const findings = await (await open()).check();
    expect(findings).toContainEqual(state('ok'));
    expect(findings).toContainEqual(
      expect.objectContaining({ says: 'Lockstep treats the server as PingDirectory (in memory).' }),
    );
    expect(await (await open(unboundidService('reader'))).check()).toContainEqual(state('warning'));
  });

  test('a write forces no change, although the policy forces one after a reset', async () => {
    const account = await subject.account();
    expect(await write(await open(), account, freshPassword())).toMatchObject({
      result: 'applied',
    });
    expect((await (await admin()).read(account)).pwdReset).toBeUndefined();
  });

  test('a write of the current password answers already_current, although the history rule rejects it', async () => {
    const connector = await open();
    const account = await subject.account();
    const password = freshPassword();
    expect(await write(connector, account, password)).toMatchObject({ result: 'applied' });
    expect(await write(connector, account, password)).toMatchObject({ result: 'already_current' });
  });
});
