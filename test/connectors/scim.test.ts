import { Secret } from '../../model/passwords/secret';
import { keeps } from '../support/rules';
import { type ScimVendor, startScimVendor } from '../support/vendors/scim';
import { conformance } from './conformance';
import { openerOf } from './open-subject';
import { asking } from './requests';
import { scimSubject } from './scim-subject';

describe.each(['path', 'value'] as const)('scim, with the name of the attribute in %s', (write) => {
  let vendor: ScimVendor;
  beforeAll(async () => {
    vendor = await startScimVendor(write);
  });
  afterEach(() => expect(vendor.offences).toEqual([]));
  afterAll(() => vendor.stop());
  const subject = scimSubject(() => vendor, write);
  conformance(subject);
  const open = openerOf(subject);

  test(
    keeps('the connector changes a user only by a PATCH of the password alone', 27),
    async () => {
      const [connector, account] = [await open(), await subject.account()];
      const before = vendor.seen.length;
      const password = Secret.fromText('The-new-one-9');
      await connector.setPassword(asking(account.ref, password));
      // Without a native id, the user is looked up first.
      await connector.setPassword(asking({ ...account.ref, nativeId: null }, password));
      const path = `/scim/v2/Users/${account.ref.nativeId}`;
      // The vendor checks that the PATCH contains nothing else.
      expect(vendor.seen.slice(before)).toEqual([
        `PATCH ${path}`,
        'GET /scim/v2/Users',
        `PATCH ${path}`,
      ]);
    },
  );

  test('the connector does not try the other form of PATCH if the server rejects the configured one', async () => {
    const other = write === 'path' ? 'value' : 'path';
    const [connector, account] = [await open({ write: other }), await subject.account()];
    const password = Secret.fromText('The-new-one-9');
    expect(await connector.setPassword(asking(account.ref, password))).toMatchObject({
      result: 'retry',
      reason: 'unknown',
    });
    expect(vendor.offences.splice(0)).toHaveLength(1);
  });

  test('check reports the features that the server does not support', async () => {
    vendor.supports({ changePassword: false, filter: false });
    const findings = await (await open()).check();
    vendor.supports({});
    expect(findings).toContainEqual({
      check: 'provider',
      verdict: 'wrong',
      says: expect.stringContaining('The server does not support filter, changePassword'),
    });
  });
});
