import { reportPresence } from '../../store/presence';
import { startTestApi, type TestApi } from '../support/api';
import { describeWith } from '../support/servers';

describeWith(['postgres'], 'a plan with references to secrets', () => {
  let api: TestApi;
  const places = { folder: '/srv/secrets', prefix: 'HUB_' };

  beforeAll(async () => {
    api = await startTestApi();
    await reportPresence(api.database.db, 'first', { secrets: places });
  });
  afterAll(() => api.stop());

  const planOf = async (bindPassword: string, isolated = false) => {
    const settings = {
      ...{ url: 'ldaps://directory.example.com', base: 'dc=example' },
      ...{ bindDn: 'cn=lockstep', bindPassword },
    };
    const document = { version: 1, sources: { corp: { kind: 'ldap', isolated, settings } } };
    const { status, body } = await api.send('POST', '/v1/configuration/plan', {
      body: { document },
    });
    return { status, issues: body.issues };
  };

  test.each(['${file:corp}', '${file:/srv/secrets/corp}', '${env:HUB_CORP}'])(
    'accepts what a worker may resolve: %s',
    async (reference) => {
      expect(await planOf(reference)).toEqual({ status: 200, issues: undefined });
    },
  );

  test.each([
    ['${file:/etc/passwd}', 'outside /srv/secrets, .*LOCKSTEP_SECRETS_DIR of the worker'],
    ['${file:../keys/signer.json}', 'outside /srv/secrets'],
    ['${file:/srv/secrets/../keys}', 'outside /srv/secrets'],
    ['${env:DATABASE_URL}', 'without the prefix HUB_; .*LOCKSTEP_SECRETS_PREFIX of the worker'],
  ])('refuses what no worker resolves, with what to do: %s', async (reference, says) => {
    expect(await planOf(reference)).toEqual({
      status: 422,
      issues: [
        {
          path: ['sources', 'corp', 'settings', 'bindPassword'],
          says: expect.stringMatching(says),
        },
      ],
    });
  });

  test('accepts what one of several workers may resolve', async () => {
    const secrets = { folder: '/run/secrets', prefix: 'APP_' };
    await reportPresence(api.database.db, 'second', { secrets });
    expect((await planOf('${file:/run/secrets/corp}')).status).toBe(200);
    expect((await planOf('${file:/srv/secrets/corp}')).status).toBe(200);
    expect((await planOf('${file:/etc/passwd}')).status).toBe(422);
  });

  test('accepts for an isolated source only what a worker that is bound to it resolves', async () => {
    const secrets = { folder: '/srv/corp', prefix: 'CORP_' };
    await reportPresence(api.database.db, 'bound', { secrets, sources: ['corp'] });
    expect((await planOf('${file:/srv/corp/password}', true)).status).toBe(200);
    expect((await planOf('${file:/srv/secrets/corp}', true)).status).toBe(422);
    await reportPresence(api.database.db, 'bound', { secrets, sources: ['other'] });
    expect((await planOf('${file:/srv/corp/password}')).status).toBe(422);
  });
});
