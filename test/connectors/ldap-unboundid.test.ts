import type { Connector } from '../../connectors/contract';
import { connectorKinds } from '../../connectors/registry';
import { Secret } from '../../model/passwords/secret';
import { describeWith } from '../support/servers';
import { conformance } from './conformance';
import { freshPassword, verify, write } from './conformance/bench';
import type { Settings } from './conformance/subject';
import {
  type UnboundidAdmin,
  unboundidAdmin,
  unboundidService,
  unboundidSubject,
} from './ldap-unboundid-subject';

let administrator: Promise<UnboundidAdmin> | undefined;
const admin = () => {
  administrator ??= unboundidAdmin();
  return administrator;
};
const subject = unboundidSubject(admin);

const opened: Connector[] = [];
afterAll(async () => {
  for (const connector of opened) await connector.close();
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

describeWith(['unboundid'], 'ldap on a server with the extensions of PingDirectory', () => {
  conformance(subject);

  test('a proof is no login: nothing is counted, nothing is locked', async () => {
    const connector = await open();
    const account = await subject.account();
    const before = await subject.entry(account);
    for (let proofs = 0; proofs < 10; proofs++)
      expect(await verify(connector, account, freshPassword())).toMatchObject({
        result: 'differs',
      });
    expect(await verify(connector, account, account.password)).toEqual({
      result: 'holds',
      proof: 'hash',
    });
    expect(await subject.entry(account)).toEqual(before);
  });

  test('a proof knows the wrong password of an account that is locked or disabled, too', async () => {
    const connector = await open();
    for (const put of [subject.lock, subject.disable]) {
      const account = await subject.account();
      await put?.(account);
      expect(await verify(connector, account, freshPassword())).toMatchObject({
        result: 'differs',
      });
    }
  });

  test('a proof of a password that JSON would mangle', async () => {
    const connector = await open();
    for (const password of ['"\\\u0001\t\u007f"', String.raw`\u0041\"`, '🔑"é\\"']) {
      const account = await subject.account();
      const long = `${password}-long-enough`;
      expect(await write(connector, account, long)).toEqual({ result: 'applied' });
      expect(await verify(connector, account, long)).toMatchObject({ result: 'holds' });
      expect(await verify(connector, account, `${long}"`)).toMatchObject({ result: 'differs' });
    }
  });

  test('without the privilege to ask, a proof is one login', async () => {
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

  test('without it, a locked account is not said to hold another password', async () => {
    const writer = await open(unboundidService('writer'));
    const account = await subject.account();
    await subject.lock?.(account);
    expect(await verify(writer, account, account.password)).toMatchObject({
      result: 'inconclusive',
      reason: 'account_locked',
    });
  });

  test('an account is written when its lock has ended, and not before', async () => {
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
    expect(await write(connector, account, password)).toEqual({ result: 'applied' });
  });

  test('doctor says what it takes the server for, and whether the state of accounts can be read', async () => {
    const state = (verdict: string) => expect.objectContaining({ check: 'keep-lock', verdict });
    const findings = await (await open()).check();
    expect(findings).toContainEqual(state('ok'));
    expect(findings).toContainEqual(
      expect.objectContaining({ says: 'Taken for PingDirectory (in memory).' }),
    );
    expect(await (await open(unboundidService('reader'))).check()).toContainEqual(state('warning'));
  });

  test('a write forces no change, although the policy wants one after a reset', async () => {
    const account = await subject.account();
    expect(await write(await open(), account, freshPassword())).toEqual({ result: 'applied' });
    expect((await (await admin()).read(account)).pwdReset).toBeUndefined();
  });

  test('the password of now is already current, although the history refuses it', async () => {
    const connector = await open();
    const account = await subject.account();
    const password = freshPassword();
    expect(await write(connector, account, password)).toEqual({ result: 'applied' });
    expect(await write(connector, account, password)).toEqual({ result: 'already_current' });
  });
});
