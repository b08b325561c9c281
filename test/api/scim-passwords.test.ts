import { accountRulesOf } from '../../connectors/registry';
import { saveIdentity } from '../../store/people/identities';
import { keeps } from '../support/rules';
import {
  attested,
  CORE,
  PASSWORD,
  pushedTo,
  type ScimProvider,
  scimFailure,
  startScimProvider,
} from '../support/scim-provider';
import { describeWith } from '../support/servers';

describeWith(['postgres'], 'passwords that an identity provider pushes over SCIM', () => {
  let provider: ScimProvider;

  beforeAll(async () => {
    provider = await startScimProvider();
  });
  afterEach(() => provider.expectNoPassword());
  afterAll(() => provider.api.stop());

  const oktaProfile = (userName: string) => ({
    schemas: [`${CORE}:User`],
    userName,
    name: { givenName: 'Ada', familyName: 'Marsh' },
    emails: [{ primary: true, value: userName, type: 'work', display: userName }],
    displayName: 'Ada Marsh',
    locale: 'en-US',
    groups: [],
    active: true,
    meta: { resourceType: 'User' },
  });

  test.each<[string, (userName: string) => object]>([
    [
      'Okta sends it from a catalogue app, as a PATCH without a path',
      () => ({ Operations: [{ op: 'replace', value: { password: PASSWORD } }] }),
    ],
    [
      'Okta sends it from a wizard app, as a PUT of the whole user',
      (userName) => ({ ...oktaProfile(userName), id: 'any', password: PASSWORD }),
    ],
    [
      'Entra sends it, with a capitalised op and a path',
      () => ({ Operations: [{ op: 'Replace', path: 'password', value: PASSWORD }] }),
    ],
    [
      'Entra sends it, with several operations and booleans as text',
      () => ({
        Operations: [
          { op: 'Replace', path: 'active', value: 'True' },
          { op: 'Add', path: 'emails[type eq "work"].value', value: 'a@example.com' },
          { op: 'Add', path: `${CORE}:User:password`, value: PASSWORD },
        ],
      }),
    ],
    [
      'Ping sends it, with the value before the path',
      () => ({ Operations: [{ value: PASSWORD, path: 'password', op: 'replace' }] }),
    ],
    [
      'others send it, with names in other cases and a schema prefix',
      () => ({
        operations: [{ OP: 'ADD', Value: { [`${CORE}:User:Password`]: PASSWORD, title: 'x' } }],
      }),
    ],
    [
      'others send it, as a PUT with the attributes below their schema',
      (userName) => ({ userName, [`${CORE}:User`]: { password: PASSWORD } }),
    ],
  ])('a pushed password becomes a change in the form in which %s', async (_who, body) => {
    const name = await provider.person();
    const id = await provider.pushed(name);
    const wanted = body(name);
    const method = Object.keys(wanted).some((key) => /^operations$/i.test(key)) ? 'PATCH' : 'PUT';
    const reply = await provider.send(method, `/Users/${id}`, { ...wanted });
    expect(reply.status).toBe(200);
    expect(reply.headers.get('content-type')).toBe('application/scim+json');
    expect(reply.text).not.toMatch(/password/i);
    expect(reply.body).toMatchObject({ id, userName: name, active: true });
    expect(await provider.changesOf(name)).toMatchObject([
      { groups: ['one-password'], looks_first: true, captured_at: expect.any(Date) },
    ]);
    expect(await provider.sealedFor(name)).toEqual([PASSWORD, null]);
  });

  test('a password that is pushed at every sign-in starts one change until it differs', async () => {
    const name = await provider.person();
    const id = await provider.pushed(name);
    const push = (value: string) =>
      provider.patch(id, { op: 'replace', value: { password: value } });
    for (let times = 0; times < 3; times++) expect((await push(PASSWORD)).status).toBe(200);
    await provider.rows(
      `update change set created_at = created_at - interval '1 day',
                captured_at = captured_at - interval '1 day' where identity_name = $1`,
      [name],
    );
    expect((await push(PASSWORD)).status).toBe(200);
    expect(await provider.lastAudit()).toMatchObject({ action: 'capture.duplicate' });
    expect(await provider.changesOf(name)).toHaveLength(1);
    await push(`${PASSWORD} 2`);
    expect(await provider.changesOf(name)).toMatchObject([
      { looks_first: true },
      { looks_first: false },
    ]);
  });

  test('a pushed password without a fingerprint to compare with starts a change that checks accounts before writing', async () => {
    const name = await provider.person();
    const id = await provider.pushed(name);
    const push = () => provider.patch(id, { op: 'replace', value: { password: PASSWORD } });
    await push();
    await provider.rows(
      `update change set password_fingerprints = null, state = 'done', ended_at = now()
                where identity_name = $1`,
      [name],
    );
    await push();
    expect(await provider.changesOf(name)).toMatchObject([{}, { looks_first: true }]);
  });

  test(
    keeps('a pushed password that no operator has attested as real is accepted without effect', 31),
    async () => {
      const name = await provider.person();
      const id = await provider.pushed(name);
      await provider.configure(pushedTo({}));
      const reply = await provider.patch(id, { op: 'replace', path: 'password', value: PASSWORD });
      expect(reply.status).toBe(200);
      expect(await provider.lastAudit()).toMatchObject({ action: 'capture.not_attested' });
      expect(await provider.changesOf(name)).toEqual([]);
      await provider.configure(pushedTo(attested));
    },
  );

  test(
    keeps(
      'a pushed password of an unlinked user is accepted without effect, and the audit does not name the user',
      7,
    ),
    async () => {
      const id = await provider.pushed('stranger@example.com');
      const reply = await provider.patch(id, { op: 'replace', path: 'password', value: PASSWORD });
      expect(reply.status).toBe(200);
      const audited = await provider.lastAudit();
      expect(audited).toMatchObject({ action: 'capture.unmapped', subject: null });
      expect(JSON.stringify(audited)).not.toContain('stranger');
    },
  );

  test('a pushed password that breaks the policy is rejected with the reason, and the user stays unchanged', async () => {
    const name = await provider.person();
    const id = await provider.pushed(name);
    const reply = await provider.patch(
      id,
      { op: 'replace', path: 'externalId', value: 'new' },
      { op: 'replace', path: 'password', value: 'short' },
    );
    expect(reply.status).toBe(400);
    expect(reply.body).toEqual(scimFailure(400, 'invalidValue'));
    expect(reply.body.detail).toMatch(/12/);
    expect((await provider.send('GET', `/Users/${id}`)).body).not.toHaveProperty('externalId');
    expect(await provider.changesOf(name)).toEqual([]);
  });

  test.each([
    ['empty', { op: 'replace', path: 'password', value: '' }],
    ['a number', { op: 'replace', path: 'password', value: 123456789012 }],
    ['a list', { op: 'replace', path: 'password', value: [{ value: PASSWORD }] }],
    ['a document', { op: 'replace', value: { password: { value: PASSWORD } } }],
  ])('a pushed password that is %s is rejected', async (_what, operation) => {
    const reply = await provider.patch(await provider.pushed(await provider.person()), operation);
    expect(reply.body).toEqual(scimFailure(400, 'invalidValue'));
    expect(reply.text).not.toContain(PASSWORD);
  });

  test('a PUT without a password, or one that is null, starts no change', async () => {
    const name = await provider.person();
    const id = await provider.pushed(name);
    for (const body of [{ userName: name }, { userName: name, password: null }])
      expect((await provider.send('PUT', `/Users/${id}`, body)).status).toBe(200);
    expect((await provider.patch(id, { op: 'remove', path: 'password' })).status).toBe(200);
    expect(await provider.changesOf(name)).toEqual([]);
  });

  describe('a pushed password and the linked accounts', () => {
    const scimKind = {
      kind: 'scim',
      settings: { url: 'https://127.0.0.1:1/scim', token: '${env:TEST_SCIM}' },
    };
    const add = (who: string, name: string, nativeId: string | null) =>
      saveIdentity(
        provider.api.database.db,
        { name: who, attributes: {} },
        [{ source: 'warehouse', name, nativeId, primary: true }],
        'operator',
        'test',
        () => accountRulesOf(scimKind),
      );
    /** The person whose password a push changes; null for none. */
    async function changedBy(userName: string, externalId: string | null): Promise<string | null> {
      const id = await provider.pushed(userName, { externalId });
      const before = await provider.rows('select id from change');
      const value = `${PASSWORD} ${userName}`;
      await provider.patch(id, { op: 'replace', path: 'password', value });
      const changes = await provider.rows('select * from change order by id');
      return changes.slice(before.length)[0]?.identity_name ?? null;
    }
    beforeAll(() => provider.configure(pushedTo(attested, scimKind)));
    afterAll(() => provider.configure(pushedTo(attested)));

    test('a pushed password finds the account by its permanent id, exactly, or by its name in any case', async () => {
      await add('by-id', 'old.name', '00u1');
      await add('by-name', 'Grace', null);
      expect(await changedBy('new.name', '00u1')).toBe('by-id');
      expect(await changedBy('other.name', '00U1')).toBeNull();
      expect(await changedBy('gRACE', null)).toBe('by-name');
    });

    test('a pushed password starts no change if the id and the name are those of two accounts', async () => {
      await add('of-the-id', 'fourth', '00u4');
      await add('of-the-name', 'third', null);
      expect(await changedBy('third', '00u4')).toBeNull();
      expect(await provider.lastAudit()).toMatchObject({ action: 'capture.unmapped' });
    });

    test('a pushed password of a user who got the former name of another user is not that of the other user', async () => {
      await add('renamed', 'zed', '00u5');
      await provider.pushed('zed.renamed', { externalId: '00u5' });
      expect(await changedBy('zed', '00u6')).toBeNull();
      expect(await changedBy('zed.again', '00u5')).toBe('renamed');
    });
  });

  test('the provider is asked to retry if there is no key to seal to', async () => {
    const id = await provider.pushed(await provider.person());
    await provider.rows('update epoch set destroyed_at = now()');
    const reply = await provider.patch(id, { op: 'replace', path: 'password', value: PASSWORD });
    await provider.rows('update epoch set destroyed_at = null');
    expect(reply.body).toEqual(scimFailure(503));
    expect(reply.headers.get('retry-after')).toBe('5');
  });
});
