import {
  CORE,
  PASSWORD,
  type ScimProvider,
  scimFailure,
  startScimProvider,
} from '../support/scim-provider';
import { describeWith } from '../support/servers';

describeWith(['postgres'], 'the SCIM protocol (RFC 7644)', () => {
  let provider: ScimProvider;

  beforeAll(async () => {
    provider = await startScimProvider();
  });
  afterEach(() => provider.expectNoPassword());
  afterAll(() => provider.api.stop());

  test('POST answers 201 with the resource, its location and version, and rejects a repeated name', async () => {
    const userName = 'create@example.com';
    const sent = {
      userName,
      externalId: 'e-1',
      active: false,
      nickName: 'x',
      password: PASSWORD,
    };
    const reply = await provider.send('POST', '/Users', sent);
    const { id } = reply.body;
    const location = `${provider.api.url}/scim/v2/warehouse/Users/${id}`;
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
    expect((await provider.send('GET', `/Users/${id}`)).body).toEqual(reply.body);
    const again = await provider.send('POST', '/Users', { userName: userName.toUpperCase() });
    expect([again.status, again.body]).toEqual([409, scimFailure(409, 'uniqueness')]);
  });

  test('PUT replaces a user, PATCH updates it, and DELETE removes it without changing an account', async () => {
    const name = await provider.person();
    const id = await provider.pushed(name, { externalId: 'e-2', active: true });
    expect(
      (await provider.patch(id, { op: 'Replace', path: 'active', value: 'False' })).body,
    ).toMatchObject({
      externalId: 'e-2',
      active: false,
      meta: { version: 'W/"2"' },
    });
    expect(
      (await provider.patch(id, { op: 'remove', path: 'externalId' })).body,
    ).not.toHaveProperty('externalId');
    const whole = await provider.send('PUT', `/Users/${id}`, { userName: 'renamed@example.com' });
    expect(whole.body).toMatchObject({ userName: 'renamed@example.com', active: true });
    expect((await provider.send('DELETE', `/Users/${id}`)).status).toBe(204);
    for (const [method, body] of [['GET'], ['DELETE'], ['PUT', { userName: 'x' }]] as const)
      expect((await provider.send(method, `/Users/${id}`, body)).body).toEqual(scimFailure(404));
    expect(await provider.rows('select source from account where name = $1', [name])).toHaveLength(
      2,
    );
  });

  test('If-Match guards updates by version, and If-None-Match avoids repeated reads', async () => {
    const id = await provider.pushed('versions@example.com');
    const put = (match: string) =>
      provider.send(
        'PUT',
        `/Users/${id}`,
        { userName: 'versions@example.com' },
        { 'if-match': match },
      );
    expect((await put('W/"1"')).headers.get('etag')).toBe('W/"2"');
    expect((await put('W/"1"')).body).toEqual(scimFailure(412));
    expect((await put('*')).status).toBe(200);
    const read = (none: string) =>
      provider.send('GET', `/Users/${id}`, undefined, { 'if-none-match': none });
    expect((await read('W/"3"')).status).toBe(304);
    expect((await read('W/"2"')).status).toBe(200);
    const removed = await provider.send('DELETE', `/Users/${id}`, undefined, { 'if-match': '"2"' });
    expect(removed.body).toEqual(scimFailure(412));
  });

  test('users can be filtered, paged, and read in part', async () => {
    await provider.rows('delete from scim_user');
    for (const [index, name] of ['Ann', 'Ben', 'Cid', 'Dan'].entries())
      await provider.pushed(`${name}@example.com`, {
        externalId: `x-${index}`,
        active: index !== 1,
      });
    const found = async (filter: string) => {
      const { body } = await provider.send('GET', `/Users?filter=${encodeURIComponent(filter)}`);
      return (body.Resources as { userName: string }[]).map(({ userName }) => userName[0]).join('');
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
      const { totalResults, startIndex, itemsPerPage } = (
        await provider.send('GET', `/Users?${query}`)
      ).body;
      return [totalResults, startIndex, itemsPerPage];
    };
    expect(await page('')).toEqual([4, 1, 4]);
    expect(await page('startIndex=3&count=10')).toEqual([4, 3, 2]);
    expect(await page('startIndex=-1&count=1')).toEqual([4, 1, 1]);
    expect(await page('count=0')).toEqual([4, 1, 0]);
    expect(await page('count=-3')).toEqual([4, 1, 0]);
    expect(await page('startIndex=9')).toEqual([4, 9, 0]);
    const [id] = await provider.rows('select id from scim_user order by id limit 1');
    const part = (query: string) =>
      provider.send('GET', `/Users/${id.id}?${query}`).then(({ body }) => Object.keys(body));
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
  ])('the invalid filter %s is rejected as invalidFilter', async (filter) => {
    const reply = await provider.send('GET', `/Users?filter=${encodeURIComponent(filter)}`);
    expect([reply.status, reply.body]).toEqual([400, scimFailure(400, 'invalidFilter')]);
  });

  test.each<[string, object, string]>([
    ['no operations', {}, 'invalidSyntax'],
    ['an empty list of operations', { Operations: [] }, 'invalidSyntax'],
    [
      'an unknown operation',
      { Operations: [{ op: 'move', path: 'active', value: true }] },
      'invalidSyntax',
    ],
    ['an operation that is text', { Operations: ['replace'] }, 'invalidSyntax'],
    ['an invalid path', { Operations: [{ op: 'replace', path: 'a b[', value: 1 }] }, 'invalidPath'],
    ['nothing to remove', { Operations: [{ op: 'remove' }] }, 'noTarget'],
    ['no value', { Operations: [{ op: 'replace', path: 'active' }] }, 'invalidValue'],
    [
      'a value that is not a document, without a path',
      { Operations: [{ op: 'add', value: 'x' }] },
      'invalidValue',
    ],
    [
      'an active that is not a boolean',
      { Operations: [{ op: 'add', path: 'active', value: 'no' }] },
      'invalidValue',
    ],
    ['a user without a name', { Operations: [{ op: 'remove', path: 'userName' }] }, 'invalidValue'],
    [
      'an empty name',
      { Operations: [{ op: 'replace', path: 'userName', value: '' }] },
      'invalidValue',
    ],
  ])('a PATCH with %s is rejected, and nothing is changed', async (_what, body, scimType) => {
    const id = await provider.pushed(`refused-${Math.random()}@example.com`);
    const reply = await provider.send('PATCH', `/Users/${id}`, body);
    expect([reply.status, reply.body]).toEqual([400, scimFailure(400, scimType)]);
    expect((await provider.send('GET', `/Users/${id}`)).headers.get('etag')).toBe('W/"1"');
  });

  test.each(['{"userName":', '["x"]', '"x"', '{"userName":"a","userName":"b"}', ''])(
    'the body %s, which is not a document, is rejected',
    async (text) => {
      const reply = await provider.send('POST', '/Users', Buffer.from(text));
      expect([reply.status, reply.body]).toEqual([400, scimFailure(400, 'invalidSyntax')]);
    },
  );

  test('removing an attribute unassigns it, and active is then neither true nor false', async () => {
    const id = await provider.pushed(await provider.person(), { active: true });
    const { body } = await provider.patch(id, { op: 'remove', path: 'active' });
    expect(body).not.toHaveProperty('active');
    expect((await provider.send('GET', `/Users/${id}`)).body).not.toHaveProperty('active');
  });

  test('a search in the body finds the same users as one in the URL', async () => {
    const userName = await provider.person();
    await provider.pushed(userName);
    const filter = `userName eq "${userName}"`;
    const schemas = ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'];
    const search = (more: object) =>
      provider.send('POST', '/Users/.search', { schemas, filter, ...more });
    const inUrl = await provider.send('GET', `/Users?filter=${encodeURIComponent(filter)}`);
    expect((await search({})).body).toEqual(inUrl.body);
    const part = await search({ attributes: ['userName'], startIndex: 1, count: 10 });
    expect(part.body).toMatchObject({ totalResults: 1, Resources: [{ userName }] });
    expect(JSON.stringify(part.body)).not.toContain('meta');
    expect((await search({ filter: 'nonsense' })).body).toEqual(scimFailure(400, 'invalidFilter'));
  });

  test.each(['PUT', 'PATCH', 'DELETE'])(
    '%s with If-None-Match changes nothing when the user exists',
    async (method) => {
      const id = await provider.pushed(await provider.person());
      const body = { userName: 'renamed@example.com', Operations: [{ op: 'remove', path: 'x' }] };
      for (const version of ['*', 'W/"1"'])
        expect(
          (await provider.send(method, `/Users/${id}`, body, { 'if-none-match': version })).status,
        ).toBe(412);
      expect((await provider.send('GET', `/Users/${id}`)).headers.get('etag')).toBe('W/"1"');
    },
  );

  test('the discovery documents show what is supported', async () => {
    const { body } = await provider.send('GET', '/ServiceProviderConfig');
    expect(body).toMatchObject({
      patch: { supported: true },
      bulk: { supported: false },
      filter: { supported: true },
      changePassword: { supported: true },
      etag: { supported: true },
    });
    const types = await provider.send('GET', '/ResourceTypes');
    expect(types.body).toMatchObject({
      totalResults: 1,
      Resources: [{ id: 'User', endpoint: '/Users' }],
    });
    const { body: schema } = await provider.send('GET', `/Schemas/${CORE}:User`);
    const attributes = schema.attributes as {
      name: string;
      returned: string;
      mutability: string;
    }[];
    expect(attributes.find(({ name }) => name === 'password')).toMatchObject({
      returned: 'never',
      mutability: 'writeOnly',
    });
    expect((await provider.send('GET', '/Groups')).body).toMatchObject({
      totalResults: 0,
      Resources: [],
    });
    for (const [method, path, status] of [
      ['GET', '/Groups/any', 404],
      ['GET', '/Schemas/any', 404],
      ['GET', '/Me', 404],
      ['POST', '/Groups', 405],
      ['POST', '/Bulk', 404],
    ] as const)
      expect((await provider.send(method, path)).body).toEqual(scimFailure(status));
  });
});
