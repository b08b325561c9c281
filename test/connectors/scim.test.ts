import { type ScimVendor, startScimVendor } from '../support/vendors/scim';
import { conformance } from './conformance';
import { scimSubject } from './scim-subject';

describe.each(['path', 'value'] as const)('scim, with the name of the attribute in %s', (write) => {
  let vendor: ScimVendor;
  beforeAll(async () => {
    vendor = await startScimVendor(write);
  });
  afterEach(() => expect(vendor.offences).toEqual([]));
  afterAll(() => vendor.stop());
  conformance(scimSubject(() => vendor, write));
});
