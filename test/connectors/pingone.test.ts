import { Secret } from '../../model/passwords/secret';
import { type PingOneVendor, startPingOneVendor } from '../support/vendors/pingone';
import { conformance } from './conformance';
import type { TestAccount } from './conformance/subject';
import { openerOf } from './open-subject';
import { pingOneSubject } from './pingone-subject';
import { asking } from './requests';

describe('pingone', () => {
  let vendor: PingOneVendor;
  beforeAll(async () => {
    vendor = await startPingOneVendor();
  });
  afterEach(() => expect(vendor.offences).toEqual([]));
  afterAll(() => vendor.stop());
  const subject = pingOneSubject(() => vendor);
  conformance(subject);

  const open = openerOf(subject);
  const next = () => Secret.fromText('The-new-one-9');
  const passwordOf = ({ ref }: TestAccount) => vendor.passwords.get(ref.nativeId ?? '');

  test.each([
    ['of another identity provider', { type: 'AZURE_AD' }, 'OK'],
    ['of a gateway', undefined, 'EXTERNAL'],
    ['without a password', undefined, 'NO_PASSWORD'],
  ])('a write to a user %s is rejected, and nothing is sent', async (_who, provider, status) => {
    const [connector, account] = [await open(), await subject.account()];
    const user = vendor.users.get(account.ref.nativeId ?? '');
    const password = passwordOf(account);
    if (user && provider) user.identityProvider = provider;
    if (password) password.status = status;
    expect(await connector.setPassword(asking(account.ref, next()))).toEqual({
      result: 'rejected',
      reason: 'no_own_password',
      vendorCode: status,
    });
    expect(vendor.seen.at(-1)).toMatch(/^GET/);
  });

  test('a write to a password that is locked out waits for the end of the lock, and does not unlock it', async () => {
    const [connector, account] = [await open(), await subject.account()];
    await subject.lock?.(account);
    expect(await connector.setPassword(asking(account.ref, next()))).toEqual({
      result: 'retry',
      reason: 'account_locked',
      vendorCode: 'PASSWORD_LOCKED_OUT',
      retryAfterMs: 600_000,
    });
    expect(passwordOf(account)?.status).toBe('PASSWORD_LOCKED_OUT');
  });

  test('an account that an administrator has locked gets the password and stays locked', async () => {
    const [connector, account] = [await open(), await subject.account()];
    const user = vendor.users.get(account.ref.nativeId ?? '');
    if (user) user.account = { canAuthenticate: false, status: 'LOCKED' };
    expect(await connector.setPassword(asking(account.ref, next()))).toMatchObject({
      result: 'applied',
    });
    expect(await connector.state({ account: account.ref })).toMatchObject({ locked: true });
  });

  test('a write of the current password counts no failed login, and one of an old password counts one', async () => {
    const [connector, account] = [await open(), await subject.account()];
    const write = (text: string) =>
      connector.setPassword(asking(account.ref, Secret.fromText(text)));
    await write('Kept-for-now-1!');
    expect(await write('Kept-for-now-1!')).toEqual({ result: 'already_current' });
    expect(await subject.failedLogins?.(account)).toBe(0);
    expect(await write(account.password)).toMatchObject({ reason: 'policy_history' });
    expect(await subject.failedLogins?.(account)).toBe(1);
    expect(await write('short')).toMatchObject({ reason: 'policy' });
  });

  test('a password that PingOne would treat as a hash is rejected, and nothing is sent', async () => {
    const [connector, account] = [await open(), await subject.account()];
    const before = vendor.seen.length;
    const password = Secret.fromText('{SSHA}c29tZWJvZHk=');
    expect(await connector.setPassword(asking(account.ref, password))).toEqual({
      result: 'rejected',
      reason: 'character_not_supported',
      vendorCode: null,
    });
    expect(vendor.seen.slice(before).filter((request) => request.startsWith('PUT '))).toEqual([]);
  });

  test('policies returns the policies that a population uses', async () => {
    const policies = await (await open()).policies?.();
    expect(policies).toEqual({
      result: 'policies',
      policies: [
        {
          name: 'Standard',
          countsBytes: false,
          minLength: 8,
          maxLength: 255,
          minAlpha: 0,
          minUpper: 1,
          minLower: 0,
          minNumeric: 2,
          minSpecial: 1,
          minCharacterTypes: 0,
          maxRepeatedChars: 2,
          history: 6,
          minAgeSeconds: 86_400,
        },
      ],
    });
    const powerless = await open(subject.wrong.rights);
    expect(await powerless.policies?.()).toEqual({ result: 'policies', policies: [] });
  });

  test('many simultaneous writes request a single token, and an expired token is replaced', async () => {
    const connector = await open();
    const before = vendor.tokensGiven();
    const accounts = await Promise.all(Array.from({ length: 8 }, () => subject.account()));
    const writeAll = (text: string) =>
      Promise.all(
        accounts.map(({ ref }) => connector.setPassword(asking(ref, Secret.fromText(text)))),
      );
    for (const answer of await writeAll('First-time-7!'))
      expect(answer).toMatchObject({ result: 'applied' });
    expect(vendor.tokensGiven()).toBe(before + 1);
    vendor.expireTokens();
    for (const answer of await writeAll('Second-time-7!'))
      expect(answer).toMatchObject({ result: 'applied' });
    expect(vendor.tokensGiven()).toBeLessThan(before + 8);
  });

  test('many simultaneous writes with a wrong secret request a single token, and later ones request none for a time', async () => {
    const connector = await open(subject.wrong.servicePassword);
    const account = await subject.account();
    const tokenRequests = () =>
      vendor.seen.filter((request) => request.endsWith('/as/token')).length;
    const before = tokenRequests();
    const write = () => connector.setPassword(asking(account.ref, next()));
    const crowd = await Promise.all(Array.from({ length: 30 }, write));
    for (const answer of [...crowd, await write()])
      expect(answer).toMatchObject({ result: 'retry', reason: 'service_credential_refused' });
    expect(tokenRequests()).toBe(before + 1);
    // The check of `lockstep doctor` tries the secret again at once.
    await connector.check();
    expect(tokenRequests()).toBe(before + 2);
  });

  test('a write answers retry, without doubt, if no token is available', async () => {
    const [connector, account] = [await open(), await subject.account()];
    for (const [status, reason] of [
      [429, 'throttled'],
      [503, 'busy'],
    ] as const) {
      vendor.goWrong(() => ({ status, headers: { 'retry-after': '9' } }), 'any');
      expect(await connector.setPassword(asking(account.ref, next()))).toEqual({
        result: 'retry',
        reason,
        vendorCode: String(status),
        retryAfterMs: 9_000,
      });
    }
    vendor.goWrong(() => 'cut', 'any');
    expect(await connector.setPassword(asking(account.ref, next()))).toMatchObject({
      result: 'retry',
      reason: 'unreachable',
    });
    expect(await subject.logsIn(account, account.password)).toBe(true);
  });
});
