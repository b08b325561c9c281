import { activeDirectory } from '../../connectors/active-directory/kind';
import { activeDirectorySettings } from '../../connectors/active-directory/settings';
import type { Connector } from '../../connectors/contract';
import { Secret } from '../../model/passwords/secret';
import { startProxy } from '../support/proxy';
import { describeWith, server } from '../support/servers';
import { activeDirectorySubject, type DomainAdmin, domainAdmin } from './active-directory-subject';
import { conformance } from './conformance';
import { freshPassword, verify, write } from './conformance/bench';

describeWith(['samba'], 'active-directory', () => {
  let administrator: Promise<DomainAdmin> | undefined;
  const opened: Connector[] = [];
  const admin = () => {
    administrator ??= domainAdmin();
    return administrator;
  };
  const subject = activeDirectorySubject(admin);
  const open = async (service: string, at = subject.server): Promise<Connector> => {
    const settings = {
      ...subject.settings(at),
      bindDn: `CN=${service},CN=Users,${server('samba').base}`,
      bindPassword: `\${file:${service}}`,
    };
    const connector = await activeDirectory.open(activeDirectorySettings.parse(settings), {
      resolve: (reference) => Secret.fromText(subject.secrets[reference] ?? ''),
    });
    opened.push(connector);
    return connector;
  };
  afterAll(async () => {
    for (const connector of opened) await connector.close();
    await (await administrator)?.close();
  });

  conformance(subject);

  test('verify answers differs for a wrong password of a disabled or must-change account', async () => {
    const connector = await open('lockstep');
    for (const prepare of [subject.disable, subject.requireChange]) {
      const account = await subject.account();
      await prepare?.(account);
      expect(await verify(connector, account, freshPassword())).toMatchObject({
        result: 'differs',
      });
    }
  });

  test('a domain controller accepts only the Unicode form that was written, so Lockstep must write the common one', async () => {
    const connector = await open('lockstep');
    const account = await subject.account();
    const composed = `${freshPassword()}-Caf\u00e9`;
    expect(await write(connector, account, composed)).toMatchObject({ result: 'applied' });
    expect(await verify(connector, account, composed)).toMatchObject({ result: 'holds' });
    expect(await verify(connector, account, composed.normalize('NFD'))).toMatchObject({
      result: 'differs',
    });
  });

  test('a service account that cannot keep a forced change writes no password to a must-change account', async () => {
    const writer = await open('writer');
    const account = await subject.account();
    expect(await write(writer, account, freshPassword())).toMatchObject({ result: 'applied' });
    await subject.requireChange?.(account);
    expect(await write(writer, account, freshPassword())).toMatchObject({
      result: 'rejected',
      reason: 'no_rights',
    });
    expect((await (await admin()).read(account)).pwdLastSet).toBe('0');
    expect(await writer.check()).toContainEqual(
      expect.objectContaining({ check: 'keep-must-change', verdict: 'warning' }),
    );
  });

  // Windows forces a change after a write by an account without the right to unexpire passwords (MS-SAMR §3.1.1.8.7),
  // Samba never does. The administrator forces it here, while the connector waits for the reply to its write.
  test('the connector undoes a forced change that its own write has caused', async () => {
    const proxy = await startProxy(subject.server);
    const connector = await open('lockstep', proxy.address);
    const account = await subject.account();
    await connector.state({ account: account.ref });
    const lost = proxy.loseReply(2, 'hang');
    const answer = write(connector, account, freshPassword());
    while (!lost.happened()) await new Promise((resolve) => setImmediate(resolve));
    await subject.requireChange?.(account);
    expect(await answer).toMatchObject({ result: 'ambiguous' });
    expect((await (await admin()).read(account)).pwdLastSet).not.toBe('0');
    await proxy.stop();
  });

  test('an account that has taken over the name of another one does not get its password', async () => {
    const connector = await open('lockstep');
    const [before, heir] = [await subject.account(), await subject.account()];
    const directory = await admin();
    await directory.client.del(before.ref.name);
    await directory.client.modifyDN(heir.ref.name, before.ref.name);
    expect(await write(connector, before, freshPassword())).toMatchObject({
      result: 'rejected',
      reason: 'account_replaced',
    });
    expect(await directory.logsIn(before, heir.password)).toBe(true);
  });

  test.each([
    ['never_expires', '66048'],
    ['smartcard', '262656'],
  ])('a change is not forced where the domain would ignore that (%s)', async (code, flags) => {
    const [connector, account] = [await open('lockstep'), await subject.account()];
    await (await admin()).replace(account, 'userAccountControl', flags);
    const before = await (await admin()).read(account);
    expect(await connector.act?.({ account: account.ref, action: 'force-change' })).toEqual({
      result: 'failed',
      reason: 'not_supported',
      vendorCode: code,
    });
    expect(await (await admin()).read(account)).toEqual(before);
  });

  test('an account is not unlocked by a service account that may only set passwords', async () => {
    const [connector, account] = [await open('writer'), await subject.account()];
    await subject.lock?.(account);
    expect(await connector.act?.({ account: account.ref, action: 'unlock' })).toMatchObject({
      reason: 'no_rights',
    });
  });

  test('the service account is refused as a target if the settings name it in a form of Windows', async () => {
    const { base = '', lockstep = '' } = server('samba');
    const realm = base.replace(/^DC=/i, '').replaceAll(/,DC=/gi, '.');
    const settings = { base, userFilter: '(objectClass=user)', bindDn: `lockstep@${realm}` };
    const connector = await activeDirectory.open(
      activeDirectorySettings.parse({ ...subject.settings(subject.server), ...settings }),
      { resolve: () => Secret.fromText(lockstep) },
    );
    opened.push(connector);
    const ref = { name: `CN=lockstep,CN=Users,${base}`, nativeId: null };
    const target = { ref, password: lockstep, key: '' };
    const refusal = { reason: 'service_account' };
    expect(await write(connector, target, freshPassword())).toMatchObject(refusal);
    expect(await verify(connector, target, lockstep)).toMatchObject(refusal);
    expect(await (await admin()).logsIn(target, lockstep)).toBe(true);
    const found = await connector.find({ match: { sAMAccountName: 'lockstep' }, limit: 2 });
    expect(found).toEqual({ result: 'found', accounts: [] });
  });
});
