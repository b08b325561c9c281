import { startTestApi, type TestApi } from '../support/api';
import { describeWith } from '../support/servers';
import { lockstepAt } from './run-cli';

const source = (name: string) => ({
  kind: 'postgres-role',
  settings: {
    host: `${name}.example.com`,
    user: 'lockstep',
    password: `\${file:/run/secrets/${name}}`,
    database: 'postgres',
  },
});
const document = {
  version: 1,
  sources: { warehouse: source('warehouse'), crm: source('crm') },
  applications: { reports: { source: 'warehouse' } },
};

describeWith(['postgres'], 'lockstep applications', () => {
  let api: TestApi;
  const run = lockstepAt(() => api);

  beforeAll(async () => {
    api = await startTestApi();
    const { status } = await api.send('POST', '/v1/configuration/apply', {
      body: { document, version: 0 },
    });
    expect(status).toBe(200);
  });
  afterAll(() => api.stop());

  const inForce = async () => {
    const { body } = await api.send('GET', '/v1/configuration');
    return body as unknown as {
      version: number;
      configuration: { applications: Record<string, unknown> };
    };
  };
  const plan = (document: unknown) =>
    api.send('POST', '/v1/configuration/plan', { body: { document } });

  test('an application is created, shown, changed, disabled and deleted from the command line', async () => {
    const created = await run([
      ...['applications', 'create', 'wiki', '--source', 'warehouse', '--label', 'The wiki'],
      ...['--field', 'id,pin', '--set', 'tickets.allowed=yes', '--user', 'alice', '--yes'],
    ]);
    expect(created.stdout).toMatch(/^\+ applications\.wiki$/m);
    const { stdout: shown } = await run(['applications', 'show', 'wiki']);
    expect(shown).toMatch(/^wiki: The wiki$/m);
    expect(shown).toMatch(/fields +id, pin \(synced, masked\)$/m);
    expect(shown).toMatch(/tickets +validated$/m);
    expect(shown).toMatch(/users +alice$/m);

    const refused = await run(['applications', 'delete', 'wiki', '--yes']);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('is enabled')]);
    await run(['applications', 'update', 'wiki', '--set', 'enabled=no', '--yes']);
    expect((await inForce()).configuration.applications.wiki).toMatchObject({
      enabled: false,
      label: 'The wiki',
      tickets: { allowed: true, validated: true },
      users: { identities: ['alice'], groups: [] },
    });
    expect((await run(['applications'])).stdout).toMatch(/^wiki +individual +warehouse +disabled/m);
    const deleted = await run(['applications', 'delete', 'wiki', '--yes']);
    expect(deleted.stdout).toMatch(/^- applications\.wiki$/m);
    expect((await inForce()).configuration.applications).not.toHaveProperty('wiki');
  });

  test('a dry run shows what would change and changes nothing', async () => {
    const before = await inForce();
    const { code, stdout } = await run([
      ...['applications', 'update', 'reports', '--set', 'hostInitiated=yes', '--dry-run'],
    ]);
    expect([code, stdout]).toEqual([0, expect.stringContaining('hostInitiated')]);
    expect(await inForce()).toEqual(before);
  });

  test.each([
    ['an unknown application', ['show', 'constructor'], 2, 'There is no application'],
    ['an unknown flag', ['update', 'reports', '--set', 'root=yes'], 2, 'Give one of enabled'],
    ['a name that is taken', ['create', 'reports', '--source', 'crm'], 2, 'applications update'],
    ['an unknown source', ['create', 'new', '--source', 'erp', '--yes'], 1, 'no source "erp"'],
  ])('%s is refused with what to do next', async (_what, args, code, says) => {
    const ended = await run(['applications', ...args]);
    expect([ended.code, ended.stderr]).toEqual([code, expect.stringContaining(says)]);
  });

  test('the api refuses to change the type and the fields of an application that exists', async () => {
    const { configuration } = await inForce();
    const reports = {
      source: 'warehouse',
      type: 'host-group',
      fields: [{ name: 'id' }, { name: 'pin' }],
    };
    const { body } = await plan({ ...configuration, applications: { reports } });
    expect(body).toMatchObject({ code: 'configuration_invalid' });
    expect((body.issues as { path: string[] }[]).map(({ path }) => path.join('.'))).toEqual([
      'applications.reports.type',
      'applications.reports.fields',
    ]);
  });

  test('a configuration of an earlier release keeps its applications, with the new defaults', async () => {
    const { configuration } = await inForce();
    const { body } = await plan({
      ...configuration,
      applications: { reports: { source: 'warehouse' } },
    });
    expect(body.differences).toEqual([]);
  });
});
