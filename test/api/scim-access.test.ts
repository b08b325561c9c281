import { configurationSchema } from '../../model/configuration/document';
import {
  attested,
  PASSWORD,
  pushedTo,
  type ScimProvider,
  scimFailure,
  startScimProvider,
} from '../support/scim-provider';
import { describeWith } from '../support/servers';

describeWith(['postgres'], 'access to SCIM', () => {
  let provider: ScimProvider;

  beforeAll(async () => {
    provider = await startScimProvider();
  });
  afterEach(() => provider.expectNoPassword());
  afterAll(() => provider.api.stop());

  test.each<[string, () => Promise<unknown>]>([
    ['without SCIM', () => provider.configure(pushedTo(null))],
    [
      'without captures',
      () => provider.configure(pushedTo(null, { capture: { enabled: false, scim: attested } })),
    ],
    ['that is disabled', () => provider.configure(pushedTo(attested, { enabled: false }))],
  ])('the provider is rejected for a source %s', async (_which, arrange) => {
    await arrange();
    for (const path of ['/Users', '/Users/any', '/ServiceProviderConfig'])
      expect((await provider.send('GET', path)).body).toEqual(scimFailure(403));
    await provider.configure(pushedTo(attested));
  });

  test('the provider is rejected with a key of another group, and finds no users of another source', async () => {
    const other = await provider.api.newKey(['capture'], ['finance']);
    const id = await provider.pushed(await provider.person());
    for (const [method, body] of [
      ['GET', undefined],
      ['PATCH', { Operations: [{ op: 'replace', path: 'password', value: PASSWORD }] }],
    ] as const) {
      const reply = await provider.send(method, `/Users/${id}`, body, {}, other);
      expect(reply.body).toEqual(scimFailure(403));
    }
    const elsewhere = {
      directory: { kind: 'ldap', settings: {}, capture: { enabled: true, scim: attested } },
    };
    const both = pushedTo(attested);
    await provider.configure(
      configurationSchema.parse({ ...both, sources: { ...both.sources, ...elsewhere } }),
    );
    const reply = await provider.api.send('GET', `/scim/v2/directory/Users/${id}`, {
      key: provider.key,
    });
    expect(reply.body).toEqual(scimFailure(404));
    await provider.configure(pushedTo(attested));
  });

  test('SCIM for a source that is not the auth source requires verifyCurrent to be off', async () => {
    const document = pushedTo(null, { capture: { enabled: true, scim: attested } });
    const reply = await provider.api.send('POST', '/v1/configuration/plan', { body: { document } });
    expect(JSON.stringify(reply.body)).toContain('SCIM cannot send the current password');
  });
});
