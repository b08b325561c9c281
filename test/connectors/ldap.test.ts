import type { Connector } from '../../connectors/contract';
import { ldap } from '../../connectors/ldap/kind';
import { ldapSettings } from '../../connectors/ldap/settings';
import { Secret } from '../../model/passwords/secret';
import { startProxy } from '../support/proxy';
import { describeWith, server } from '../support/servers';
import { suffixes } from '../support/servers/slapd';
import { conformance } from './conformance';
import { freshPassword, verify, write } from './conformance/bench';
import type { Settings, TestAccount } from './conformance/subject';
import { type LdapAdmin, ldapAdmin, ldapSubject } from './ldap-subject';

const ways = { 'RFC 3062': 'exop', modify: 'modify' } as const;

describeWith(['slapd'], 'ldap', () => {
  for (const [way, mode] of Object.entries(ways))
    conformance(
      ldapSubject({ title: `ldap by ${way}`, suffix: suffixes.corp, changes: { write: mode } }),
    );

  for (const [way, mode] of Object.entries(ways)) describe(`by ${way}`, () => promises(mode));

  describe('on the directory', directoryPromises);
});

const opened: { close(): Promise<void> }[] = [];
const admins: Partial<Record<keyof typeof suffixes, LdapAdmin>> = {};

async function admin(suffix: keyof typeof suffixes = 'corp'): Promise<LdapAdmin> {
  const connected = admins[suffix] ?? (await ldapAdmin(suffixes[suffix]));
  admins[suffix] = connected;
  return connected;
}

afterAll(async () => {
  for (const closable of [...opened, ...Object.values(admins)]) await closable.close();
});

async function open(changes: Settings, suffix: string = suffixes.corp): Promise<Connector> {
  const { url, caFile } = server('slapd');
  const settings = {
    url,
    ca: caFile,
    base: `ou=people,${suffix}`,
    bindDn: `cn=lockstep,ou=services,${suffix}`,
    bindPassword: '${file:lockstep}',
    ...changes,
  };
  const connector = await ldap.open(ldapSettings.parse(settings), {
    resolve: (reference) => Secret.fromText(server('slapd')[reference.slice(7, -1)] ?? 'wrong'),
  });
  opened.push(connector);
  return connector;
}

function promises(mode: 'exop' | 'modify'): void {
  let connector: Connector;
  beforeAll(async () => {
    connector = await open({ write: mode });
  });

  test('a write by a service account that may manage passwords leaves no forced change', async () => {
    const manager = await open({
      write: mode,
      bindDn: `cn=manager,ou=services,${suffixes.corp}`,
      bindPassword: '${file:manager}',
    });
    const account = await (await admin()).addAccount();
    expect(await write(manager, account, freshPassword())).toMatchObject({ result: 'applied' });
    expect((await (await admin()).read(account)).pwdReset).toBeUndefined();
  });

  test('a password that looks like a hash is stored as a password, even without a password policy', async () => {
    const free = await open({ write: mode }, suffixes.free);
    for (const password of ['{CLEARTEXT}really-mine-1', '{SSHA}really-mine-2', '{x}3']) {
      const account = await (await admin('free')).addAccount();
      expect(await write(free, account, password)).toMatchObject({ result: 'applied' });
      expect(await (await admin('free')).logsIn(account, password)).toBe(true);
      expect(await (await admin('free')).logsIn(account, 'really-mine-1')).toBe(false);
    }
  });

  test('an account that has taken over the name of another one does not get its password', async () => {
    const directory = await admin();
    const [before, heir] = [await directory.addAccount(), await directory.addAccount()];
    await directory.client.del(before.ref.name);
    await directory.client.modifyDN(heir.ref.name, before.ref.name);
    const password = freshPassword();
    expect(await write(connector, before, password)).toMatchObject({
      result: 'rejected',
      reason: 'account_replaced',
    });
    expect(await directory.logsIn(before, heir.password)).toBe(true);
  });

  test('a locked account is locked after a write, whichever reply is lost', async () => {
    for (let nth = 1; ; nth++) {
      const account = await lockedAccount();
      const proxy = await startProxy({ host: '127.0.0.1', port: Number(server('slapd').port) });
      opened.push({ close: () => proxy.stop() });
      const url = `ldaps://127.0.0.1:${proxy.address.port}`;
      const through = await open({ write: mode, url });
      const lost = proxy.loseReply(nth, 'cut');
      await write(through, account, freshPassword());
      expect((await (await admin()).read(account)).pwdAccountLockedTime).toBe('000001010000Z');
      if (!lost.happened()) break;
    }
  });

  test('a service account that cannot keep a lock writes no password to a locked account', async () => {
    const withoutRight = await open({
      write: mode,
      bindDn: `cn=writer,ou=services,${suffixes.corp}`,
      bindPassword: '${file:writer}',
    });
    const account = await lockedAccount();
    expect(await write(withoutRight, account, freshPassword())).toMatchObject({
      result: 'rejected',
      reason: 'no_rights',
    });
    expect((await (await admin()).read(account)).pwdAccountLockedTime).toBe('000001010000Z');
    const findings = await withoutRight.check();
    expect(findings).toContainEqual(
      expect.objectContaining({ check: 'keep-lock', verdict: 'warning' }),
    );
  });

  async function lockedAccount(): Promise<TestAccount> {
    const account = await (await admin()).addAccount();
    await (await admin()).replace(account, 'pwdAccountLockedTime', '000001010000Z');
    return account;
  }
}

function directoryPromises(): void {
  let connector: Connector;
  beforeAll(async () => {
    connector = await open({});
  });
  const under = async (policy: Record<string, string>) => {
    const directory = await admin();
    return directory.addAccount({ pwdPolicySubentry: await directory.addPolicy(policy) });
  };

  test('many simultaneous calls with a wrong service password make a single login, and later calls make none for a time', async () => {
    const account = await (await admin()).addAccount();
    const wrong = await open({
      bindDn: `cn=reader,ou=services,${suffixes.corp}`,
      bindPassword: '${file:wrong}',
    });
    const refused = { result: 'retry', reason: 'service_credential_refused' };
    const crowd = Array.from({ length: 30 }, () => write(wrong, account, freshPassword()));
    for (const answer of await Promise.all(crowd)) expect(answer).toMatchObject(refused);
    expect(await write(wrong, account, freshPassword())).toMatchObject(refused);
    const ref = { name: `cn=reader,ou=services,${suffixes.corp}`, nativeId: null };
    const { pwdFailureTime = [] } = await (await admin()).read({ ...account, ref });
    expect([pwdFailureTime].flat()).toHaveLength(1);
  });

  test('find distinguishes letters that the directory treats as equal', async () => {
    const { key } = await (await admin()).addAccount();
    const fullWidth = key.replace(/[a-z]/g, (letter) =>
      String.fromCodePoint(letter.charCodeAt(0) + 0xfee0),
    );
    const found = { result: 'found', accounts: [] };
    expect(await connector.find({ match: { uid: fullWidth }, limit: 5 })).toEqual(found);
    expect(await connector.find({ match: { uid: key.toUpperCase() }, limit: 5 })).toMatchObject({
      accounts: [{ attributes: { uid: [key] } }],
    });
  });

  test('find returns at most the limit, without an error for the rest', async () => {
    for (let accounts = 0; accounts < 3; accounts++) await (await admin()).addAccount();
    const answer = await connector.find({ match: { sn: 'Test' }, limit: 2 });
    expect(answer.result === 'found' && answer.accounts).toHaveLength(2);
  });

  test('verify answers holds for an expired password', async () => {
    const account = await under({ pwdMaxAge: '1' });
    while (await (await admin()).logsIn(account, account.password));
    expect(await verify(connector, account, account.password)).toMatchObject({ result: 'holds' });
    expect(await verify(connector, account, freshPassword())).toMatchObject({ result: 'differs' });
  });

  test('state shows an account as not locked after its lock has ended', async () => {
    const account = await under({ pwdLockout: 'TRUE', pwdLockoutDuration: '60' });
    await (await admin()).replace(account, 'pwdAccountLockedTime', '20200101000000Z');
    expect(await connector.state({ account: account.ref })).toMatchObject({ locked: false });
    expect(await verify(connector, account, freshPassword())).toMatchObject({ result: 'differs' });
  });

  test('a change is not forced where the policy would ignore that, and the account stays as it is', async () => {
    const account = await under({ pwdMustChange: 'FALSE' });
    const before = await (await admin()).read(account);
    expect(await connector.act?.({ account: account.ref, action: 'force-change' })).toEqual({
      result: 'failed',
      reason: 'not_supported',
      vendorCode: 'pwdMustChange',
    });
    expect(await (await admin()).read(account)).toEqual(before);
  });

  test('list fails if the server returns only some of the accounts, and check warns about it', async () => {
    const limited = await open({
      bindDn: `cn=writer,ou=services,${suffixes.corp}`,
      bindPassword: '${file:writer}',
    });
    for (let accounts = 0; accounts < 4; accounts++) await (await admin()).addAccount();
    expect(await limited.list({ cursor: null, pageSize: 50 })).toMatchObject({
      result: 'failed',
      reason: 'not_supported',
    });
    expect(await limited.check()).toContainEqual(
      expect.objectContaining({ check: 'listing', verdict: 'warning' }),
    );
  });

  test('a write to an entry that userFilter does not match is rejected with no_account', async () => {
    const ref = { name: `cn=reader,ou=services,${suffixes.corp}`, nativeId: null };
    const service = { ref, password: '', key: '' };
    for (const mode of ['exop', 'modify']) {
      const other = await open({ write: mode });
      expect(await write(other, service, freshPassword())).toMatchObject({ reason: 'no_account' });
    }
  });

  test('an empty password is never sent to the directory', async () => {
    const account = await (await admin('free')).addAccount();
    const free = await open({}, suffixes.free);
    expect(await write(free, account, '')).toMatchObject({ reason: 'policy_too_short' });
    expect(await verify(free, account, '')).toMatchObject({ result: 'differs' });
    expect(await (await admin('free')).logsIn(account, account.password)).toBe(true);
  });
}
