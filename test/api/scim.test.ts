import { configurationSchema } from '../../model/configuration/document';
import { destroyPasswords, unseal } from '../../sealing/passwords';
import { applyConfiguration, currentConfiguration } from '../../store/configuration/versions';
import { saveIdentity } from '../../store/people/identities';
import { readChangeAtWork } from '../../store/worker/outcomes';
import { type Reply, startTestApi, type TestApi } from '../support/api';
import { addPerson, testConfiguration } from '../support/played-worker';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';

const PASSWORD = 'correct horse battery staple';
const CORE = 'urn:ietf:params:scim:schemas:core:2.0';
const MESSAGES = 'urn:ietf:params:scim:api:messages:2.0';

type Scim = Partial<Record<'pushesRealPassword' | 'createPassword' | 'createLinks', boolean>>;

/** The same sources; `warehouse` is what an identity provider keeps. */
const pushedTo = (scim: Scim | null, more: object = {}) =>
  configurationSchema.parse({
    ...testConfiguration,
    sources: {
      ...testConfiguration.sources,
      warehouse: {
        kind: 'ldap',
        settings: {},
        capture: { enabled: true, verifyCurrent: false, ...(scim === null ? {} : { scim }) },
        ...more,
      },
    },
  });
const attested: Scim = { pushesRealPassword: true };

describeWith(['postgres'], 'an identity provider that pushes over SCIM', () => {
  let api: TestApi;
  let provider: string;
  let people = 0;

  beforeAll(async () => {
    api = await startTestApi();
    await configure(pushedTo(attested));
    provider = await api.newKey(['capture'], ['one-password']);
  });
  afterEach(async () => {
    for (const table of ['audit', 'change', 'scim_user'])
      expect(JSON.stringify(await rows(`select * from ${table}`))).not.toContain(PASSWORD);
    expect(api.printed()).not.toContain(PASSWORD);
  });
  afterAll(() => api.stop());

  async function configure(configuration: ReturnType<typeof pushedTo>): Promise<void> {
    const { db } = api.database;
    const { version } = await currentConfiguration(db);
    await applyConfiguration(db, configuration, version, 'test');
  }
  const rows = async (query: string, values: unknown[] = []) =>
    (await api.database.pool.query(query, values)).rows;
  async function person(): Promise<string> {
    const name = `Person-${++people}@example.com`;
    await addPerson(api.database.db, name);
    return name;
  }
  const changesOf = (name: string) =>
    rows('select * from change where identity_name = $1 order by seq', [name]);
  const lastAudit = async () =>
    (await rows(`select action, subject, detail from audit order by id desc limit 1`))[0];

  const send = (
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
    key = provider,
  ): Promise<Reply> =>
    api.send(method, `/scim/v2/warehouse${path}`, {
      key,
      ...(body === undefined ? {} : { body }),
      headers: {
        accept: 'application/scim+json',
        ...(body === undefined ? {} : { 'content-type': 'application/scim+json; charset=utf-8' }),
        ...headers,
      },
    });
  async function pushed(userName: string, more: object = {}): Promise<string> {
    const { status, body } = await send('POST', '/Users', {
      schemas: [`${CORE}:User`],
      userName,
      ...more,
    });
    expect(status).toBe(201);
    return String(body.id);
  }
  const patch = (id: string, ...operations: object[]) =>
    send('PATCH', `/Users/${id}`, {
      schemas: [`${MESSAGES}:PatchOp`],
      Operations: operations,
    });
  const failure = (status: number, scimType?: string) => ({
    schemas: [`${MESSAGES}:Error`],
    status: String(status),
    ...(scimType === undefined ? {} : { scimType }),
    detail: expect.any(String),
  });
  const sealedIn = async (name: string) => {
    const [row] = await changesOf(name);
    const secret = (await readChangeAtWork(api.database.db, row.id))?.sealed ?? null;
    const key = await api.keys.epochKey(secret?.epochId ?? '');
    if (secret === null || key === null) throw new Error('nothing is sealed');
    const sealedFor = { changeId: row.id, identityId: row.identity_id, seq: row.seq };
    const opened = await unseal(secret.jwe, key, { ...sealedFor, expiresAt: row.expires_at });
    const texts = [opened.next.text(), opened.current];
    destroyPasswords(opened);
    return texts;
  };

  describe('pushes a password', () => {
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
        'Okta, an app of its catalogue: PATCH without a path',
        () => ({ Operations: [{ op: 'replace', value: { password: PASSWORD } }] }),
      ],
      [
        'Okta, an app of its wizard: the whole user by PUT',
        (userName) => ({ ...oktaProfile(userName), id: 'any', password: PASSWORD }),
      ],
      [
        'Entra: op in capitals, with a path',
        () => ({ Operations: [{ op: 'Replace', path: 'password', value: PASSWORD }] }),
      ],
      [
        'Entra: several at once, and booleans that are texts',
        () => ({
          Operations: [
            { op: 'Replace', path: 'active', value: 'True' },
            { op: 'Add', path: 'emails[type eq "work"].value', value: 'a@example.com' },
            { op: 'Add', path: `${CORE}:User:password`, value: PASSWORD },
          ],
        }),
      ],
      [
        'Ping: replace with a path, and the value before it',
        () => ({ Operations: [{ value: PASSWORD, path: 'password', op: 'replace' }] }),
      ],
      [
        'another: names in other cases, the schema before the attribute',
        () => ({
          operations: [{ OP: 'ADD', Value: { [`${CORE}:User:Password`]: PASSWORD, title: 'x' } }],
        }),
      ],
      [
        'another: a PUT with the attributes below their schema',
        (userName) => ({ userName, [`${CORE}:User`]: { password: PASSWORD } }),
      ],
    ])('as %s: it becomes a change', async (_who, body) => {
      const name = await person();
      const id = await pushed(name);
      const wanted = body(name);
      const method = Object.keys(wanted).some((key) => /^operations$/i.test(key)) ? 'PATCH' : 'PUT';
      const reply = await send(method, `/Users/${id}`, { ...wanted });
      expect(reply.status).toBe(200);
      expect(reply.headers.get('content-type')).toBe('application/scim+json');
      expect(reply.text).not.toMatch(/password/i);
      expect(reply.body).toMatchObject({ id, userName: name, active: true });
      expect(await changesOf(name)).toMatchObject([
        { groups: ['one-password'], looks_first: true, captured_at: expect.any(Date) },
      ]);
      expect(await sealedIn(name)).toEqual([PASSWORD, null]);
    });

    test('again and again, at each sign-in: one change, until it is another one', async () => {
      const name = await person();
      const id = await pushed(name);
      const push = (value: string) => patch(id, { op: 'replace', value: { password: value } });
      for (let times = 0; times < 3; times++) expect((await push(PASSWORD)).status).toBe(200);
      await rows(
        `update change set created_at = created_at - interval '1 day',
                  captured_at = captured_at - interval '1 day' where identity_name = $1`,
        [name],
      );
      expect((await push(PASSWORD)).status).toBe(200);
      expect(await lastAudit()).toMatchObject({ action: 'capture.duplicate' });
      expect(await changesOf(name)).toHaveLength(1);
      await push(`${PASSWORD} 2`);
      expect(await changesOf(name)).toMatchObject([{ looks_first: true }, { looks_first: false }]);
    });

    test('that nobody can tell from the last one any more: accounts are looked at before they are written', async () => {
      const name = await person();
      const id = await pushed(name);
      const push = () => patch(id, { op: 'replace', value: { password: PASSWORD } });
      await push();
      await rows(
        `update change set password_fingerprints = null, state = 'done', ended_at = now()
                  where identity_name = $1`,
        [name],
      );
      await push();
      expect(await changesOf(name)).toMatchObject([{}, { looks_first: true }]);
    });

    test(
      keeps('that nobody attests to be the real one: taken, and without effect', 31),
      async () => {
        const name = await person();
        const id = await pushed(name);
        await configure(pushedTo({}));
        const reply = await patch(id, { op: 'replace', path: 'password', value: PASSWORD });
        expect(reply.status).toBe(200);
        expect(await lastAudit()).toMatchObject({ action: 'capture.not_attested' });
        expect(await changesOf(name)).toEqual([]);
        await configure(pushedTo(attested));
      },
    );

    test(
      keeps('of a user who is linked to nobody: taken, without effect, and not named', 7),
      async () => {
        const id = await pushed('stranger@example.com');
        const reply = await patch(id, { op: 'replace', path: 'password', value: PASSWORD });
        expect(reply.status).toBe(200);
        const audited = await lastAudit();
        expect(audited).toMatchObject({ action: 'capture.unmapped', subject: null });
        expect(JSON.stringify(audited)).not.toContain('stranger');
      },
    );

    test('against the policy of the group: refused, with the reason, and nothing of the user is changed', async () => {
      const name = await person();
      const id = await pushed(name);
      const reply = await patch(
        id,
        { op: 'replace', path: 'externalId', value: 'new' },
        { op: 'replace', path: 'password', value: 'short' },
      );
      expect(reply.status).toBe(400);
      expect(reply.body).toEqual(failure(400, 'invalidValue'));
      expect(reply.body.detail).toMatch(/12/);
      expect((await send('GET', `/Users/${id}`)).body).not.toHaveProperty('externalId');
      expect(await changesOf(name)).toEqual([]);
    });

    test.each([
      ['an empty one', { op: 'replace', path: 'password', value: '' }],
      ['a number', { op: 'replace', path: 'password', value: 123456789012 }],
      ['a list', { op: 'replace', path: 'password', value: [{ value: PASSWORD }] }],
      ['a document', { op: 'replace', value: { password: { value: PASSWORD } } }],
    ])('that is %s: refused', async (_what, operation) => {
      const reply = await patch(await pushed(await person()), operation);
      expect(reply.body).toEqual(failure(400, 'invalidValue'));
      expect(reply.text).not.toContain(PASSWORD);
    });

    test('not at all, in a PUT: the password stays', async () => {
      const name = await person();
      const id = await pushed(name);
      for (const body of [{ userName: name }, { userName: name, password: null }])
        expect((await send('PUT', `/Users/${id}`, body)).status).toBe(200);
      expect((await patch(id, { op: 'remove', path: 'password' })).status).toBe(200);
      expect(await changesOf(name)).toEqual([]);
    });

    test('for an account that goes by its lasting id, or by its name in another case; never for one of two', async () => {
      const { db } = api.database;
      const account = (name: string, nativeId: string | null) => ({
        source: 'warehouse',
        name,
        nativeId,
        primary: true,
      });
      const add = (who: string, ...accounts: ReturnType<typeof account>[]) =>
        saveIdentity(db, { name: who, attributes: {} }, accounts, 'operator', 'test');
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
        const id = await pushed(userName, { externalId });
        const before = await rows('select id from change');
        await patch(id, { op: 'replace', path: 'password', value: `${PASSWORD} ${userName}` });
        const [change] = (await rows('select * from change order by id')).slice(before.length);
        expect(change?.identity_name ?? null).toBe(who);
      }
      const [exact] = await rows(`select id from scim_user where user_name = 'Twin'`);
      await patch(exact.id, { op: 'replace', value: { userName: 'TWIN', password: PASSWORD } });
      expect(await changesOf('other-of-two')).toHaveLength(1);
      const both = await pushed('third', { externalId: '00u1' });
      await patch(both, { op: 'replace', path: 'password', value: PASSWORD });
      expect(await lastAudit()).toMatchObject({ action: 'capture.unmapped' });
    });

    test('without a worker that has ever been there: asked to send it again', async () => {
      const id = await pushed(await person());
      await rows('update epoch set destroyed_at = now()');
      const reply = await patch(id, { op: 'replace', path: 'password', value: PASSWORD });
      await rows('update epoch set destroyed_at = null');
      expect(reply.body).toEqual(failure(503));
      expect(reply.headers.get('retry-after')).toBe('5');
    });
  });

  describe('creates users', () => {
    test(keeps('with a placeholder for a password: it is left alone', 27), async () => {
      const name = await person();
      await pushed(name, { password: PASSWORD });
      expect(await changesOf(name)).toEqual([]);
    });

    test('whose password counts, where the configuration says so', async () => {
      await configure(pushedTo({ ...attested, createPassword: true }));
      const [name, other] = [await person(), await person()];
      await pushed(name, { password: PASSWORD });
      expect(await changesOf(name)).toHaveLength(1);
      const refused = await send('POST', '/Users', { userName: other, password: 'short' });
      expect(refused.body).toEqual(failure(400, 'invalidValue'));
      // It was not created, so it can be sent again.
      await pushed(other, { password: PASSWORD });
      await configure(pushedTo(attested));
    });

    test('and links nobody by that', async () => {
      await pushed('newcomer', { emails: [{ value: 'newcomer@example.com' }] });
      expect(await rows(`select from account where name = 'newcomer'`)).toEqual([]);
      expect(await rows(`select from identity where name = 'newcomer'`)).toEqual([]);
    });

    test('and links them by the rules of a refresh, where the configuration says so', async () => {
      const rules = {
        correlate: [{ emails: 'mail' }],
        createIdentities: {
          name: 'userName',
          attributes: { mail: 'emails', first: 'name.givenName' },
        },
      };
      await configure(pushedTo({ ...attested, createLinks: true, createPassword: true }, rules));
      const { db } = api.database;
      const known = (name: string, mail: string) =>
        saveIdentity(
          db,
          { name, attributes: { mail } },
          [{ source: 'directory', name: `d-${name}`, nativeId: null, primary: true }],
          'operator',
          'test',
        );
      await known('hopper', 'g@example.com');
      await known('twin-1', 't@example.com');
      await known('twin-2', 't@example.com');
      const emails = (value: string) => [{ value: 'other' }, { value, primary: true }];
      await pushed('grace.h', {
        emails: emails('g@example.com'),
        externalId: '00u9',
        password: PASSWORD,
      });
      await pushed('twin-3', { emails: emails('t@example.com') });
      await pushed('brand.new', { emails: emails('n@example.com'), name: { givenName: 'New' } });
      await pushed('hopper', { emails: emails('x@example.com') });
      const linked =
        await rows(`select i.name as person, i.attributes, a.name, a.native_id, a.linked_by
        from account a join identity i on i.id = a.identity_id
        where a.name in ('grace.h', 'twin-3', 'brand.new', 'hopper') order by a.name`);
      expect(linked).toEqual([
        {
          person: 'brand.new',
          attributes: { mail: 'n@example.com', first: 'New' },
          name: 'brand.new',
          native_id: null,
          linked_by: 'scim',
        },
        {
          person: 'hopper',
          attributes: { mail: 'g@example.com' },
          name: 'grace.h',
          native_id: '00u9',
          linked_by: 'scim',
        },
      ]);
      expect(await changesOf('hopper')).toHaveLength(1);
      await configure(pushedTo(attested));
    });
  });

  describe('is answered as RFC 7644 says', () => {
    test('POST: 201 with the resource, its location and version; the same name again is a conflict', async () => {
      const userName = 'create@example.com';
      const sent = {
        userName,
        externalId: 'e-1',
        active: false,
        nickName: 'x',
        password: PASSWORD,
      };
      const reply = await send('POST', '/Users', sent);
      const { id } = reply.body;
      const location = `${api.url}/scim/v2/warehouse/Users/${id}`;
      const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
      expect(reply.body).toEqual({
        schemas: [`${CORE}:User`],
        id: expect.stringMatching(/^usr_/),
        externalId: 'e-1',
        userName,
        active: false,
        meta: {
          resourceType: 'User',
          created: time,
          lastModified: time,
          location: expect.any(String),
          version: 'W/"1"',
        },
      });
      expect(location.endsWith(reply.headers.get('location') ?? 'none')).toBe(true);
      expect(reply.headers.get('etag')).toBe('W/"1"');
      expect((await send('GET', `/Users/${id}`)).body).toEqual(reply.body);
      const again = await send('POST', '/Users', { userName: userName.toUpperCase() });
      expect([again.status, again.body]).toEqual([409, failure(409, 'uniqueness')]);
    });

    test('PUT replaces what is kept; PATCH changes what it names; DELETE removes, and touches no account', async () => {
      const name = await person();
      const id = await pushed(name, { externalId: 'e-2', active: true });
      expect(
        (await patch(id, { op: 'Replace', path: 'active', value: 'False' })).body,
      ).toMatchObject({
        externalId: 'e-2',
        active: false,
        meta: { version: 'W/"2"' },
      });
      expect((await patch(id, { op: 'remove', path: 'externalId' })).body).not.toHaveProperty(
        'externalId',
      );
      const whole = await send('PUT', `/Users/${id}`, { userName: 'renamed@example.com' });
      expect(whole.body).toMatchObject({ userName: 'renamed@example.com', active: true });
      expect((await send('DELETE', `/Users/${id}`)).status).toBe(204);
      for (const [method, body] of [['GET'], ['DELETE'], ['PUT', { userName: 'x' }]] as const)
        expect((await send(method, `/Users/${id}`, body)).body).toEqual(failure(404));
      expect(await rows('select source from account where name = $1', [name])).toHaveLength(2);
    });

    test('versions: If-Match guards a change, If-None-Match saves a read', async () => {
      const id = await pushed('versions@example.com');
      const put = (match: string) =>
        send('PUT', `/Users/${id}`, { userName: 'versions@example.com' }, { 'if-match': match });
      expect((await put('W/"1"')).headers.get('etag')).toBe('W/"2"');
      expect((await put('W/"1"')).body).toEqual(failure(412));
      expect((await put('*')).status).toBe(200);
      const read = (none: string) =>
        send('GET', `/Users/${id}`, undefined, { 'if-none-match': none });
      expect((await read('W/"3"')).status).toBe(304);
      expect((await read('W/"2"')).status).toBe(200);
      const removed = await send('DELETE', `/Users/${id}`, undefined, { 'if-match': '"2"' });
      expect(removed.body).toEqual(failure(412));
    });

    test('lists: filtered, paged, and in part', async () => {
      await rows('delete from scim_user');
      for (const [index, name] of ['Ann', 'Ben', 'Cid', 'Dan'].entries())
        await pushed(`${name}@example.com`, { externalId: `x-${index}`, active: index !== 1 });
      const found = async (filter: string) => {
        const { body } = await send('GET', `/Users?filter=${encodeURIComponent(filter)}`);
        return (body.Resources as { userName: string }[])
          .map(({ userName }) => userName[0])
          .join('');
      };
      for (const [filter, names] of Object.entries({
        'userName eq "ann@EXAMPLE.com"': 'A',
        'USERNAME Eq "ann@example.com"': 'A',
        [`${CORE}:User:userName eq "ann@example.com"`]: 'A',
        'externalId eq "x-2"': 'C',
        'externalId eq "X-2"': '',
        'active eq false': 'B',
        'active eq "False"': 'B',
        'active ne true or externalId eq "x-3"': 'BD',
        'active eq true and (externalId eq "x-0" or externalId eq "x-1")': 'A',
        'not (active eq true)': 'B',
        'userName sw "b" or userName co "ID@" and externalId pr': 'BC',
        'userName ew "@example.com"': 'ABCD',
        'externalId eq null': '',
        'emails.value eq "x"': '',
        'userName eq "a\\"b (or) c"': '',
        'userName eq "\'; drop table scim_user; --"': '',
      }))
        expect([filter, await found(filter)]).toEqual([filter, names]);
      const page = async (query: string) => {
        const { totalResults, startIndex, itemsPerPage } = (await send('GET', `/Users?${query}`))
          .body;
        return [totalResults, startIndex, itemsPerPage];
      };
      expect(await page('')).toEqual([4, 1, 4]);
      expect(await page('startIndex=3&count=10')).toEqual([4, 3, 2]);
      expect(await page('startIndex=-1&count=1')).toEqual([4, 1, 1]);
      expect(await page('count=0')).toEqual([4, 1, 0]);
      expect(await page('count=-3')).toEqual([4, 1, 0]);
      expect(await page('startIndex=9')).toEqual([4, 9, 0]);
      const [id] = await rows('select id from scim_user order by id limit 1');
      const part = (query: string) =>
        send('GET', `/Users/${id.id}?${query}`).then(({ body }) => Object.keys(body));
      expect(await part('attributes=userName,meta.version')).toEqual([
        'schemas',
        'id',
        'userName',
        'meta',
      ]);
      expect(await part('excludedAttributes=meta,ACTIVE')).toEqual([
        'schemas',
        'id',
        'externalId',
        'userName',
      ]);
    });

    test.each([
      'userName',
      'userName eq',
      'userName eq bare',
      'userName gt "a"',
      'active eq "maybe"',
      'active co "t"',
      'userName eq true',
      '(userName eq "a"',
      'userName eq "a")',
      'not userName eq "a"',
      'userName eq "a" xor active eq true',
      'userName eq "a\\u0000"',
      '"userName" eq "a"',
      'emails[type eq "work"]',
    ])('a filter that it does not know, %s, is said to be none', async (filter) => {
      const reply = await send('GET', `/Users?filter=${encodeURIComponent(filter)}`);
      expect([reply.status, reply.body]).toEqual([400, failure(400, 'invalidFilter')]);
    });

    test.each<[string, object, string]>([
      ['no operations', {}, 'invalidSyntax'],
      ['operations that are none', { Operations: [] }, 'invalidSyntax'],
      [
        'an operation that is unknown',
        { Operations: [{ op: 'move', path: 'active', value: true }] },
        'invalidSyntax',
      ],
      ['an operation that is a text', { Operations: ['replace'] }, 'invalidSyntax'],
      [
        'a path that is none',
        { Operations: [{ op: 'replace', path: 'a b[', value: 1 }] },
        'invalidPath',
      ],
      ['nothing to remove', { Operations: [{ op: 'remove' }] }, 'noTarget'],
      ['no value', { Operations: [{ op: 'replace', path: 'active' }] }, 'invalidValue'],
      [
        'a value that is no document, and no path',
        { Operations: [{ op: 'add', value: 'x' }] },
        'invalidValue',
      ],
      [
        'active that is neither',
        { Operations: [{ op: 'add', path: 'active', value: 'no' }] },
        'invalidValue',
      ],
      [
        'a user without a name',
        { Operations: [{ op: 'remove', path: 'userName' }] },
        'invalidValue',
      ],
      [
        'a name that is empty',
        { Operations: [{ op: 'replace', path: 'userName', value: '' }] },
        'invalidValue',
      ],
    ])('PATCH with %s is refused, and nothing is changed', async (_what, body, scimType) => {
      const id = await pushed(`refused-${Math.random()}@example.com`);
      const reply = await send('PATCH', `/Users/${id}`, body);
      expect([reply.status, reply.body]).toEqual([400, failure(400, scimType)]);
      expect((await send('GET', `/Users/${id}`)).headers.get('etag')).toBe('W/"1"');
    });

    test.each(['{"userName":', '["x"]', '"x"', '{"userName":"a","userName":"b"}', ''])(
      'a body that is no document, %s, is refused',
      async (text) => {
        const reply = await send('POST', '/Users', Buffer.from(text));
        expect([reply.status, reply.body]).toEqual([400, failure(400, 'invalidSyntax')]);
      },
    );

    test('what is supported, and what is not', async () => {
      const { body } = await send('GET', '/ServiceProviderConfig');
      expect(body).toMatchObject({
        patch: { supported: true },
        bulk: { supported: false },
        filter: { supported: true },
        changePassword: { supported: true },
        etag: { supported: true },
      });
      const types = await send('GET', '/ResourceTypes');
      expect(types.body).toMatchObject({
        totalResults: 1,
        Resources: [{ id: 'User', endpoint: '/Users' }],
      });
      const { body: schema } = await send('GET', `/Schemas/${CORE}:User`);
      const attributes = schema.attributes as {
        name: string;
        returned: string;
        mutability: string;
      }[];
      expect(attributes.find(({ name }) => name === 'password')).toMatchObject({
        returned: 'never',
        mutability: 'writeOnly',
      });
      expect((await send('GET', '/Groups')).body).toMatchObject({ totalResults: 0, Resources: [] });
      for (const [method, path, status] of [
        ['GET', '/Groups/any', 404],
        ['GET', '/Schemas/any', 404],
        ['GET', '/Me', 404],
        ['POST', '/Groups', 405],
        ['POST', '/Bulk', 404],
      ] as const)
        expect((await send(method, path)).body).toEqual(failure(status));
    });
  });

  describe('is kept out', () => {
    test.each<[string, () => Promise<unknown>]>([
      ['where the source has no SCIM', () => configure(pushedTo(null))],
      [
        'where the source takes no captures',
        () => configure(pushedTo(null, { capture: { enabled: false, scim: attested } })),
      ],
      ['where the source is switched off', () => configure(pushedTo(attested, { enabled: false }))],
    ])('%s', async (_where, arrange) => {
      await arrange();
      for (const path of ['/Users', '/Users/any', '/ServiceProviderConfig'])
        expect((await send('GET', path)).body).toEqual(failure(403));
      await configure(pushedTo(attested));
    });

    test('with a key of another group, and from the users of another source', async () => {
      const other = await api.newKey(['capture'], ['finance']);
      const id = await pushed(await person());
      for (const [method, body] of [
        ['GET', undefined],
        ['PATCH', { Operations: [{ op: 'replace', path: 'password', value: PASSWORD }] }],
      ] as const) {
        const reply = await send(method, `/Users/${id}`, body, {}, other);
        expect(reply.body).toEqual(failure(403));
      }
      const elsewhere = {
        directory: { kind: 'ldap', settings: {}, capture: { enabled: true, scim: attested } },
      };
      const both = pushedTo(attested);
      await configure(
        configurationSchema.parse({ ...both, sources: { ...both.sources, ...elsewhere } }),
      );
      const reply = await api.send('GET', `/scim/v2/directory/Users/${id}`, { key: provider });
      expect(reply.body).toEqual(failure(404));
      await configure(pushedTo(attested));
    });

    test('a source that is not the auth source has to say that no current password comes', async () => {
      const document = pushedTo(null, { capture: { enabled: true, scim: attested } });
      const reply = await api.send('POST', '/v1/configuration/plan', { body: { document } });
      expect(JSON.stringify(reply.body)).toContain('SCIM cannot send the current password');
    });
  });
});
