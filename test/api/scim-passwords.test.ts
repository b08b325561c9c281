import { exactRules } from '../../model/people/naming';
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

  test('a pushed password finds the account by its permanent id or by its name in any case, unless two match', async () => {
    const { db } = provider.api.database;
    const account = (name: string, nativeId: string | null) => ({
      source: 'warehouse',
      name,
      nativeId,
      primary: true,
    });
    const add = (who: string, ...accounts: ReturnType<typeof account>[]) =>
      saveIdentity(
        db,
        { name: who, attributes: {} },
        accounts,
        'operator',
        'test',
        () => exactRules,
      );
    await add('by-id', account('old.name', '00u1'));
    await add('by-name', account('Grace', null));
    await add('one-of-two', account('twin', null));
    await add('other-of-two', account('TWIN', null));
    await add('by-another-name', account('third', null));
    for (const [userName, externalId, who] of [
      ['new.name', '00u1', 'by-id'],
      ['gRACE', null, 'by-name'],
      ['Twin', null, null],
      ['grace ', '00u1', 'by-id'],
    ] as const) {
      const id = await provider.pushed(userName, { externalId });
      const before = await provider.rows('select id from change');
      await provider.patch(id, {
        op: 'replace',
        path: 'password',
        value: `${PASSWORD} ${userName}`,
      });
      const [change] = (await provider.rows('select * from change order by id')).slice(
        before.length,
      );
      expect(change?.identity_name ?? null).toBe(who);
    }
    const [exact] = await provider.rows(`select id from scim_user where user_name = 'Twin'`);
    await provider.patch(exact.id, {
      op: 'replace',
      value: { userName: 'TWIN', password: PASSWORD },
    });
    expect(await provider.changesOf('other-of-two')).toHaveLength(1);
    const both = await provider.pushed('third', { externalId: '00u1' });
    await provider.patch(both, { op: 'replace', path: 'password', value: PASSWORD });
    expect(await provider.lastAudit()).toMatchObject({ action: 'capture.unmapped' });
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
