import { generateKeyPairSync } from 'node:crypto';
import { Secret } from '../../model/passwords/secret';
import { type OktaVendor, pemOf, startOktaVendor } from '../support/vendors/okta';
import { conformance } from './conformance';
import type { TestAccount } from './conformance/subject';
import { oktaSubject } from './okta-subject';
import { openerOf, openSubject } from './open-subject';
import { asking } from './requests';

describe('okta', () => {
  let vendor: OktaVendor;
  beforeAll(async () => {
    vendor = await startOktaVendor();
  });
  afterEach(() => {
    vendor.tokensOf(null);
    expect(vendor.offences).toEqual([]);
  });
  afterAll(() => vendor.stop());
  const subject = oktaSubject(() => vendor);
  conformance(subject);

  const open = openerOf(subject);
  const next = () => Secret.fromText('The-new-one-9');
  const userOf = ({ ref }: TestAccount) => vendor.users.get(ref.nativeId ?? '');
  const unchanged = async (account: TestAccount) =>
    expect(await subject.logsIn(account, account.password)).toBe(true);

  test.each(['ACTIVE_DIRECTORY', 'LDAP', 'FEDERATION', 'SOCIAL'])(
    'a write to a user of %s, whose password is not in Okta, is rejected, and nothing is sent',
    async (type) => {
      const [connector, account] = [await open(), await subject.account()];
      const user = userOf(account);
      if (user) user.credentials = { password: {}, provider: { type, name: 'somewhere' } };
      expect(await connector.setPassword(asking(account.ref, next()))).toEqual({
        result: 'rejected',
        reason: 'no_own_password',
        vendorCode: type,
      });
      expect(vendor.seen.at(-1)).toBe(`GET /api/v1/users/${account.ref.nativeId}`);
    },
  );

  test('a user is found by the whole login only, not by its first part and not by "me"', async () => {
    const [connector, account] = [await open(), await subject.account()];
    const user = userOf(account);
    if (user === undefined) throw new Error('No such user');
    vendor.users.set('me', user);
    const named = (name: string) => asking({ name, nativeId: null }, next());
    expect(await connector.setPassword(named('me'))).toMatchObject({ reason: 'no_account' });
    await unchanged(account);
    const upperCase = user.profile.login.toUpperCase();
    vendor.users.set(upperCase, user);
    expect(await connector.setPassword(named(upperCase))).toMatchObject({ result: 'applied' });
    vendor.users.delete('me');
    vendor.users.delete(upperCase);
  });

  test('a write to a user without a password is rejected, because it would create one', async () => {
    const [connector, account] = [await open(), await subject.account()];
    const user = userOf(account);
    if (user) user.credentials = { provider: { type: 'OKTA', name: 'OKTA' } };
    expect(await connector.setPassword(asking(account.ref, next()))).toMatchObject({
      result: 'rejected',
      reason: 'no_own_password',
    });
    await unchanged(account);
  });

  test.each([
    ['LOCKED_OUT', { result: 'retry', reason: 'account_locked' }],
    ['SUSPENDED', { result: 'rejected', reason: 'account_disabled', vendorCode: 'E0000038' }],
    ['DEPROVISIONED', { result: 'rejected', reason: 'account_disabled', vendorCode: 'E0000038' }],
  ])(
    'a write to a user with the status %s leaves password and status unchanged',
    async (status, answer) => {
      const [connector, account] = [await open(), await subject.account()];
      const user = userOf(account);
      if (user) user.status = status;
      expect(await connector.setPassword(asking(account.ref, next()))).toMatchObject(answer);
      expect(userOf(account)?.status).toBe(status);
      await unchanged(account);
    },
  );

  test('a forced change survives a write whose answer is lost', async () => {
    const [connector, account] = [await open(), await subject.account()];
    await subject.requireChange?.(account);
    vendor.goWrong((answer) => {
      void answer();
      return 'cut';
    });
    expect(await connector.setPassword(asking(account.ref, next()))).toMatchObject({
      result: 'ambiguous',
    });
    expect(userOf(account)?.status).toBe('PASSWORD_EXPIRED');
  });

  test('with strict, Okta applies history and minimum age, and the policies contain them', async () => {
    const account = await subject.account();
    const read = async (strict: boolean) => (await open({ strict })).policies?.();
    expect(
      await (await open({ strict: true })).setPassword(asking(account.ref, next())),
    ).toMatchObject({ result: 'applied' });
    const rules = { name: 'Default Policy', minLength: 8, minUpper: 1, minSpecial: 0 };
    expect(await read(true)).toMatchObject({
      policies: [{ ...rules, history: 4, minAgeSeconds: 3600 }],
    });
    expect(await read(false)).toMatchObject({
      policies: [{ ...rules, history: 0, minAgeSeconds: 0 }],
    });
  });

  test('policies answers an empty list if the service account may not read them', async () => {
    const connector = await open(subject.wrong.rights);
    expect(await connector.policies?.()).toEqual({ result: 'policies', policies: [] });
  });

  test('verify makes no login with the setting proof: none', async () => {
    const [connector, account] = [await open({ proof: 'none' }), await subject.account()];
    expect(await connector.verify(asking(account.ref, next()))).toEqual({
      result: 'inconclusive',
      reason: 'not_supported',
      vendorCode: null,
    });
    expect(await subject.failedLogins?.(account)).toBe(0);
  });

  describe('a service app', () => {
    const app = () => ({ token: undefined, clientId: vendor.clientId, privateKey: '${file:key}' });

    test('a service app signs in with its key, once for many simultaneous writes', async () => {
      const connector = await open(app());
      const before = vendor.tokensGiven();
      const accounts = await Promise.all(Array.from({ length: 8 }, () => subject.account()));
      const answers = await Promise.all(
        accounts.map(({ ref }) => connector.setPassword(asking(ref, next()))),
      );
      for (const answer of answers) expect(answer).toMatchObject({ result: 'applied' });
      expect(vendor.tokensGiven()).toBe(before + 1);
    });

    test('an expired token is replaced once, and the write is applied', async () => {
      const [connector, account] = [await open(app()), await subject.account()];
      await connector.state({ account: account.ref });
      vendor.expireTokens();
      const before = vendor.tokensGiven();
      expect(await connector.setPassword(asking(account.ref, next()))).toMatchObject({
        result: 'applied',
      });
      expect(vendor.tokensGiven()).toBe(before + 1);
    });

    test('a key that the app does not have leads to retry with service_credential_refused', async () => {
      const [connector, account] = [
        await open({ ...app(), clientId: 'another' }),
        await subject.account(),
      ];
      expect(await connector.setPassword(asking(account.ref, next()))).toEqual({
        result: 'retry',
        reason: 'service_credential_refused',
        vendorCode: 'invalid_client',
      });
      await unchanged(account);
    });

    const withKey = (pem: string) =>
      openSubject(subject, app(), { ...subject.secrets, '${file:key}': pem });

    test.each(['ES256', 'ES384', 'ES512', 'RS256'] as const)(
      'a service app whose key is for %s signs in with that algorithm',
      async (algorithm) => {
        const connector = await withKey(vendor.privateKeys[algorithm]);
        const account = await subject.account();
        expect(await connector.setPassword(asking(account.ref, next()))).toMatchObject({
          result: 'applied',
        });
        await connector.close();
      },
    );

    test.each([
      ['Ed25519', () => generateKeyPairSync('ed25519').privateKey],
      ['secp256k1', () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey],
      ['RSA of 1024 bits', () => generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey],
    ])('a key of the kind %s is refused in words, and nothing is sent', async (_kind, key) => {
      const connector = await withKey(pemOf(key()));
      const [account, before] = [await subject.account(), vendor.seen.length];
      const refusal = { reason: 'service_credential_refused', vendorCode: 'key_not_supported' };
      expect(await connector.setPassword(asking(account.ref, next()))).toEqual({
        result: 'retry',
        ...refusal,
      });
      expect(await connector.list({ cursor: null, pageSize: 1 })).toMatchObject(refusal);
      expect(await connector.state({ account: account.ref })).toMatchObject(refusal);
      expect(await connector.verify(asking(account.ref, next()))).toMatchObject(refusal);
      expect(await connector.check()).toEqual([
        {
          check: 'service-login',
          verdict: 'wrong',
          says: expect.stringContaining('cannot sign in with this private key'),
        },
      ]);
      expect(vendor.seen).toHaveLength(before);
      await connector.close();
    });

    test('an answer to the token request that holds no bearer token is not a sign-in', async () => {
      const token = { access_token: 'a-token', token_type: 'Bearer', expires_in: 3600 };
      for (const json of [
        { ...token, token_type: undefined },
        { ...token, token_type: 'DPoP' },
        { ...token, access_token: 'two words' },
        { ...token, error: 'invalid_client' },
      ]) {
        const [connector, account] = [await open(app()), await subject.account()];
        vendor.goWrong(() => ({ status: 200, json }), 'any');
        expect(await connector.setPassword(asking(account.ref, next()))).toEqual({
          result: 'retry',
          reason: 'unknown',
          vendorCode: 'token_200',
        });
        await unchanged(account);
      }
    });

    test('the settings reject both ways to sign in together, and none', async () => {
      await expect(open({ ...app(), token: '${file:token}' })).rejects.toThrow();
      await expect(open({ token: undefined })).rejects.toThrow();
    });
  });
});
