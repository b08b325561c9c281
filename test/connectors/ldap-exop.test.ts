import { Client, PresenceFilter } from 'ldapts';
import { AssertionControl } from '../../connectors/ldap/controls';
import { describeWith } from '../support/servers';
import { suffixes } from '../support/servers/slapd';
import { freshPassword, write } from './conformance/bench';
import { ldapAdmin, ldapSubject, newClient } from './ldap-subject';
import { openerOf } from './open-subject';

const PASSWORD_MODIFY = '1.3.6.1.4.1.4203.1.11.1';

describeWith(['slapd'], 'the password modify operation of RFC 3062', () => {
  const subject = ldapSubject({ title: 'ldap', suffix: suffixes.corp, changes: { write: 'exop' } });
  const open = openerOf(subject);

  // RFC 4528 §3 allows an assertion on any operation; slapd 2.6 lets only those of RFC 4511 have one.
  test('the operation accepts no assertion, so the entry is read after the write', async () => {
    const [client, account] = [newClient(), await subject.account()];
    await client.bind(account.ref.name, account.password);
    const control = new AssertionControl(new PresenceFilter({ attribute: 'uid' }));
    await expect(client.exop(PASSWORD_MODIFY, undefined, [control])).rejects.toMatchObject({
      code: 12,
    });
    await client.unbind();
  });

  test('a write whose account has got another name in the same moment is in doubt, and never a success', async () => {
    const [connector, admin] = [await open(), await ldapAdmin(suffixes.corp)];
    const [account, heir] = [await subject.account(), await subject.account()];
    const original = Client.prototype.exop;
    const exop = jest.spyOn(Client.prototype, 'exop').mockImplementation(async function (
      this: Client,
      ...request
    ) {
      if (request[0] === PASSWORD_MODIFY) {
        await admin.client.del(account.ref.name);
        await admin.client.modifyDN(heir.ref.name, account.ref.name);
      }
      return original.apply(this, request);
    });
    const answer = await write(connector, account, freshPassword());
    exop.mockRestore();
    await admin.close();
    expect(answer).toEqual({ result: 'ambiguous', vendorCode: 'entry_replaced' });
    expect(await write(connector, account, freshPassword())).toMatchObject({
      result: 'rejected',
      reason: 'account_replaced',
    });
  });
});
