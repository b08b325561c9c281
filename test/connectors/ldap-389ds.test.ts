import { describeWith } from '../support/servers';
import { conformance } from './conformance';
import { type Ds389Admin, ds389Admin, ds389Subject } from './ldap-389ds-subject';

let administrator: Promise<Ds389Admin> | undefined;
const admin = () => {
  administrator ??= ds389Admin();
  return administrator;
};
afterAll(async () => (await administrator)?.close());

describeWith(['ds389'], 'ldap on 389 Directory Server', () => {
  conformance(ds389Subject(admin));
});
