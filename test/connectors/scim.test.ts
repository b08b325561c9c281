import { Secret } from '../../model/passwords/secret';
import { runsInFull } from '../support/long';
import { keeps } from '../support/rules';
import { type ScimVendor, startScimVendor } from '../support/vendors/scim';
import { conformance } from './conformance';
import { openerOf } from './open-subject';
import { asking } from './requests';
import { scimSubject } from './scim-subject';

describe.each([
  ['path', 'uuid'],
  ['value', 'number'],
] as const)('scim, with the name of the attribute in %s and ids of the type %s', (write, ids) => {
  let vendor: ScimVendor;
  beforeAll(async () => {
    vendor = await startScimVendor(write, ids);
  });
  afterEach(() => {
    vendor.tokensOf(null);
    expect(vendor.offences).toEqual([]);
  });
  afterAll(() => vendor.stop());
  const subject = scimSubject(() => vendor, write, ids);
  conformance(subject, { answers: write === 'path' || runsInFull });
  const open = openerOf(subject);

  test(
    keeps('the connector changes a user only by a PATCH of the password alone', 27),
    async () => {
      const [connector, account] = [await open(), await subject.account()];
      const before = vendor.seen.length;
      const password = Secret.fromText('The-new-one-9');
      await connector.setPassword(asking(account.ref, password));
      // Without an id, or with one that another user may get, the user is looked up first.
      await connector.setPassword(asking({ ...account.ref, nativeId: null }, password));
      const path = `/scim/v2/Users/${account.ref.nativeId}`;
      // The vendor checks that the PATCH contains nothing else.
      expect(vendor.seen.slice(before)).toEqual([
        'GET /scim/v2/Me',
        ...(ids === 'uuid' ? [] : [`GET ${path}`]),
        `PATCH ${path}`,
        'GET /scim/v2/Users',
        `PATCH ${path}`,
      ]);
    },
  );

  test.each([
    ['501', 501, ''],
    ['404', 404, '<html>Not found</html>'],
    ['405', 405, '{}'],
    ['403', 403, '<html>Forbidden</html>'],
    ['400', 400, ''],
  ])(
    'a server that answers %s to /Me does not show the user of the token, and is written',
    async (_how, status, body) => {
      const [connector, account] = [await open(), await subject.account()];
      const page = { headers: { 'content-type': 'text/html' }, text: body };
      vendor.goWrong(() => ({ status, ...(body === '{}' ? { json: {} } : page) }), 'any');
      const answer = await connector.setPassword(
        asking(account.ref, Secret.fromText('The-new-one-9')),
      );
      expect(answer).toMatchObject({ result: 'applied' });
    },
  );

  test.each([401, 429, 500, 503])(
    'a server that answers %i to /Me is not written, and check reports it',
    async (status) => {
      const [connector, account] = [await open(), await subject.account()];
      const isMe = () => vendor.seen.at(-1)?.endsWith('/Me');
      vendor.answering((answer) => (isMe() ? { status } : answer()));
      const answer = await connector.setPassword(
        asking(account.ref, Secret.fromText('The-new-one-9')),
      );
      const findings = await connector.check();
      vendor.answering(null);
      expect(answer.result).toBe('retry');
      expect(findings).toContainEqual(
        expect.objectContaining({ check: 'own-user', verdict: 'wrong' }),
      );
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

  describe('replies as servers send them', () => {
    const page = (changes: object) => ({
      status: 200,
      json: { totalResults: 0, Resources: [], ...changes },
    });
    const list = async (changes: object) => {
      const connector = await open();
      vendor.goWrong(() => page(changes), 'any');
      return connector.list({ cursor: null, pageSize: 5 });
    };
    const ann = { id: 'a1', userName: 'ann' };

    test.each([
      ['null', { Resources: null }],
      ['a missing member', { Resources: undefined }],
      ['a total as text', { totalResults: '0' }],
    ])('a list without users is read if it is written as %s', async (_how, changes) => {
      expect(await list(changes)).toEqual({ result: 'page', accounts: [], cursor: null });
    });

    test('a list that announces users and contains no list of them fails', async () => {
      expect(await list({ totalResults: 3, Resources: null })).toMatchObject({
        result: 'failed',
        vendorCode: 'malformed',
      });
    });

    test('a number as an id is read as text, and one that is not exact is not read', async () => {
      const Resources = [
        { ...ann, id: 17 },
        { ...ann, id: 2 ** 53 },
      ];
      expect(await list({ totalResults: '2', Resources })).toMatchObject({
        accounts: [{ name: 'ann', nativeId: '17' }],
        malformed: ['#2'],
      });
    });

    test('a list whose end is lost fails, and so does a search whose result is a part', async () => {
      expect(await list({ totalResults: 3, Resources: [] })).toMatchObject({ result: 'failed' });
      const connector = await open();
      const find = { match: { userName: 'ann' }, limit: 2 };
      const others = ['bob', 'carl'].map((userName, at) => ({ id: `b${at}`, userName }));
      vendor.goWrong(() => page({ totalResults: 3, Resources: others }), 'any');
      expect(await connector.find(find)).toMatchObject({
        result: 'failed',
        reason: 'not_supported',
        vendorCode: 'filter_ignored',
      });
      vendor.goWrong(() => page({ totalResults: 2, Resources: [ann, others[0]] }), 'any');
      expect(await connector.find(find)).toMatchObject({ accounts: [{ name: 'ann' }] });
    });

    test('the case of an externalId matters in a search, and that of a userName does not', async () => {
      const connector = await open();
      const bob = { ...ann, externalId: 'X1' };
      const find = async (match: Record<string, string>) => {
        vendor.goWrong(() => page({ totalResults: 1, Resources: [bob] }), 'any');
        const answer = await connector.find({ match, limit: 2 });
        return answer.result === 'found' ? answer.accounts.length : answer.reason;
      };
      // The first request of a connector reads the user of the token.
      await connector.find({ match: { userName: 'nobody' }, limit: 1 });
      expect(await find({ userName: 'ANN' })).toBe(1);
      expect(await find({ externalId: 'X1' })).toBe(1);
      expect(await find({ externalId: 'x1' })).toBe(0);
    });

    test('a user that cannot be read is left out of the list and reported, and the others are read', async () => {
      const Resources = [{ id: 'b2', userName: null }, ann, { userName: 'no id' }];
      expect(await list({ totalResults: 3, Resources })).toMatchObject({
        accounts: [{ name: 'ann', nativeId: 'a1' }],
        malformed: ['b2', '#3'],
      });
    });

    test('a search fails if a user that matches cannot be read, because it could be a second match', async () => {
      const connector = await open();
      const search = async (Resources: object[]) => {
        vendor.goWrong(() => page({ totalResults: Resources.length, Resources }), 'any');
        return connector.find({ match: { userName: 'ann' }, limit: 2 });
      };
      expect(await search([ann, { userName: 'ann' }])).toMatchObject({ vendorCode: 'malformed' });
      expect(await search([ann, { userName: 'bob' }])).toMatchObject({
        accounts: [{ nativeId: 'a1' }],
      });
    });

    test.each([
      ['True', false],
      ['False', true],
      [null, false],
    ])('active with the value %p is read', async (active, disabled) => {
      const [connector, account] = [await open(), await subject.account()];
      const { nativeId: id, name: userName } = account.ref;
      // The first request of a connector reads the user of the token.
      await connector.state({ account: account.ref });
      vendor.goWrong(() => ({ status: 200, json: { id, userName, active } }), 'any');
      expect(await connector.state({ account: account.ref })).toMatchObject({ disabled });
    });

    test.each(['application/scim+json', 'Application/JSON; charset=utf-8'])(
      'a write is applied by a reply of the type %s, and by a 204 without a body',
      async (type) => {
        const [connector, account] = [await open(), await subject.account()];
        const write = () =>
          connector.setPassword(asking(account.ref, Secret.fromText('The-new-one-9')));
        vendor.goWrong(async (answer) => ({
          ...(await answer()),
          headers: { 'content-type': type },
        }));
        expect(await write()).toMatchObject({ result: 'applied' });
        vendor.goWrong(() => ({ status: 204 }));
        expect(await write()).toMatchObject({ result: 'applied' });
      },
    );

    test('a write that is answered 200 with a SCIM error is in doubt, whatever the error is', async () => {
      const [connector, account] = [await open(), await subject.account()];
      const { nativeId: id, name: userName } = account.ref;
      const schemas = ['urn:ietf:params:scim:api:messages:2.0:Error'];
      vendor.goWrong(() => ({
        status: 200,
        json: { schemas, id, userName, scimType: 'invalidValue' },
      }));
      const password = Secret.fromText('The-new-one-9');
      expect(await connector.setPassword(asking(account.ref, password))).toEqual({
        result: 'ambiguous',
        vendorCode: 'malformed',
      });
    });
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
