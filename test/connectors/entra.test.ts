import { Secret } from '../../model/passwords/secret';
import {
  type EntraUser,
  type EntraVendor,
  FEDERATED,
  NO_DOMAINS,
  startEntraVendor,
} from '../support/vendors/entra';
import { conformance } from './conformance';
import { entraSubject } from './entra-subject';
import { openerOf } from './open-subject';
import { asking } from './requests';

describe('entra', () => {
  let vendor: EntraVendor;
  beforeAll(async () => {
    vendor = await startEntraVendor();
  });
  afterEach(() => expect(vendor.offences).toEqual([]));
  afterAll(() => vendor.stop());
  const subject = entraSubject(() => vendor);
  conformance(subject);

  const open = openerOf(subject);
  const next = () => Secret.fromText('The-new-one-9');
  async function userWith(changes: Partial<EntraUser>) {
    const account = await subject.account();
    const user = vendor.users.get(account.ref.nativeId ?? '');
    if (user !== undefined) Object.assign(user, changes);
    return account;
  }

  test.each([
    ['on_premises', { onPremisesSyncEnabled: true }],
    ['guest', { externalUserState: 'Accepted' }],
    ['federated_domain', { userPrincipalName: `ann@${FEDERATED.toUpperCase()}` }],
  ])(
    'a write to a user whose password is kept elsewhere (%s) is rejected, and nothing is sent',
    async (code, changes) => {
      const [connector, account] = [await open(), await userWith(changes)];
      expect(await connector.setPassword(asking(account.ref, next()))).toEqual({
        result: 'rejected',
        reason: 'no_own_password',
        vendorCode: code,
      });
      expect(vendor.seen.at(-1)).toMatch(/^GET/);
      expect(await subject.logsIn(account, account.password)).toBe(true);
    },
  );

  test('a write to a user who becomes synchronized just before it is rejected', async () => {
    const [connector, account] = [await open(), await subject.account()];
    vendor.goWrong((answer) => {
      const user = vendor.users.get(account.ref.nativeId ?? '');
      if (user !== undefined) user.onPremisesSyncEnabled = true;
      return answer();
    });
    expect(await connector.setPassword(asking(account.ref, next()))).toEqual({
      result: 'rejected',
      reason: 'no_own_password',
      vendorCode: 'Request_BadRequest',
    });
  });

  test('a service account that cannot read domains still writes, and check warns about it', async () => {
    const [connector, account] = [await open({ clientId: NO_DOMAINS }), await subject.account()];
    expect(await connector.setPassword(asking(account.ref, next()))).toMatchObject({
      result: 'applied',
    });
    expect(await connector.check()).toContainEqual({
      check: 'domains',
      verdict: 'warning',
      says: expect.stringContaining('Domain.Read.All'),
    });
  });

  test('a user is found by the whole name only', async () => {
    const [connector, account] = [await open(), await subject.account()];
    const user = vendor.users.get(account.ref.nativeId ?? '');
    if (user !== undefined) vendor.users.set('an-id-that-is-no-name', user);
    const named = (name: string) => asking({ name, nativeId: null }, next());
    expect(await connector.setPassword(named('an-id-that-is-no-name'))).toMatchObject({
      reason: 'no_account',
    });
    expect(await connector.setPassword(named(account.ref.name.toUpperCase()))).toMatchObject({
      result: 'applied',
    });
    vendor.users.delete('an-id-that-is-no-name');
  });
});
