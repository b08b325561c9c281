import { startTestApi, type TestApi } from '../support/api';
import { describeWith } from '../support/servers';
import { lockstepAt } from './run-cli';

const source = (name: string, more: object = {}) => ({
  kind: 'postgres-role',
  settings: {
    host: `${name}.example.com`,
    user: 'lockstep',
    password: `\${file:/run/secrets/${name}}`,
    database: 'postgres',
  },
  ...more,
});
const document = {
  version: 1,
  sources: { corp: source('corp'), warehouse: source('warehouse'), crm: source('crm') },
  policies: { everyone: {} },
  groups: {
    all: {
      policy: 'everyone',
      authSource: 'corp',
      sources: ['corp', 'warehouse', 'crm'],
      failureMode: 'directory-last',
    },
  },
  applications: { reports: { source: 'warehouse' }, sales: { source: 'crm' } },
};

interface InForce {
  readonly version: number;
  readonly configuration: {
    readonly sources: Record<
      string,
      { readonly adapter?: object; readonly capture?: object; readonly settings: object }
    >;
    readonly sso: { readonly switches: object };
  };
}

describeWith(['postgres'], 'lockstep adapters', () => {
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

  const inForce = async () =>
    (await api.send('GET', '/v1/configuration')).body as unknown as InForce;
  const sourceOf = async (name: string) => (await inForce()).configuration.sources[name];
  const edit = async (...args: string[]) => {
    const ended = await run([...args, '--yes']);
    expect(ended).toMatchObject({ code: 0 });
    return ended.stdout;
  };

  test('an adapter is created disabled, and enabled with the adapters of its group', async () => {
    const created = await edit(
      ...['adapters', 'create', 'warehouse', '--set', 'syncToAdapter=yes'],
    );
    expect(created).toMatch(/^~ sources\.warehouse/m);
    await edit('adapters', 'add-app', 'warehouse', 'reports');
    await edit('adapters', 'group', 'warehouse', 'databases');
    expect(await edit('adapters', 'enable', '--group', 'databases')).toContain(
      'sources.warehouse.adapter.syncToAdapter has no effect while sso.switches.windowsToAdapters is off.',
    );
  });

  test('the flags and the switches of an adapter are set, and their effect is shown', async () => {
    expect((await run(['adapters', 'show', 'warehouse'])).stdout).toMatch(
      /nothing is written until the switch windowsToAdapters is on$/m,
    );
    expect(await edit('sso', 'switches', '--set', 'windowsToAdapters=on')).toMatch(
      /^~ sso\.switches .*\n {4}- windowsToAdapters: false\n {4}\+ windowsToAdapters: true$/m,
    );
    await edit('adapters', 'update', 'warehouse', '--set', 'syncFromAdapter=yes');
    expect((await sourceOf('warehouse'))?.capture).toMatchObject({ enabled: true });
    const { stdout: status } = await run(['sso', 'status']);
    expect(status).toMatch(/^windowsToAdapters +on /m);
    expect(status).toMatch(/^warehouse +enabled +databases +on +waits +reports$/m);
    expect((await run(['adapters', 'show', 'warehouse'])).stdout).toMatch(
      /to the adapter +changes are written to the adapter$/m,
    );
    const { stdout: listed } = await run([
      'adapters',
      'list',
      '--group',
      'databases',
      '-o',
      'json',
    ]);
    expect(JSON.parse(listed)).toMatchObject({ adapters: { warehouse: { enabled: true } } });
  });

  test('the history of an adapter is cleared only after a confirmation', async () => {
    const asked = await run(['adapters', 'reset', 'warehouse']);
    expect([asked.code, asked.stderr]).toEqual([2, expect.stringContaining('--yes')]);
    const dry = await run(['adapters', 'reset', 'warehouse', '--dry-run']);
    expect(dry.stdout).toBe('The history of warehouse would be cleared.\n');
    expect(await edit('adapters', 'reset', 'warehouse')).toMatch(
      /^The history of warehouse is cleared: 0 changes forgotten\.$/m,
    );
    const unknown = await run(['adapters', 'reset', 'nothing', '--yes']);
    expect([unknown.code, unknown.stderr]).toEqual([
      1,
      'There is no adapter "nothing". "lockstep adapters" lists them.\n',
    ]);
  });

  test('an adapter is deleted after it was disabled', async () => {
    await edit('applications', 'update', 'reports', '--set', 'enabled=no');
    const used = await run(['applications', 'delete', 'reports', '--yes']);
    expect([used.code, used.stderr]).toEqual([
      2,
      expect.stringContaining('lockstep adapters remove-app reports'),
    ]);
    await edit('applications', 'update', 'reports', '--set', 'enabled=yes');
    const refused = await run(['adapters', 'delete', 'warehouse', '--yes']);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('is enabled')]);
    await edit('adapters', 'disable', 'warehouse');
    await edit('adapters', 'delete', 'warehouse');
    expect(await sourceOf('warehouse')).not.toHaveProperty('adapter');
  });

  test('an application of an adapter cannot be deleted, nor given to an adapter of another source', async () => {
    const plan = async (changes: object) =>
      api.send('POST', '/v1/configuration/plan', {
        body: { document: { ...document, ...changes } },
      });
    const adapting = (applications: string[]) => ({
      sources: {
        ...document.sources,
        warehouse: source('warehouse', { adapter: { applications } }),
      },
    });
    for (const [changes, says] of [
      [{ ...adapting(['reports']), applications: {} }, 'there is no application "reports"'],
      [adapting(['sales']), 'an adapter serves the applications of its own source'],
    ] as const)
      expect((await plan(changes)).body).toMatchObject({
        code: 'configuration_invalid',
        issues: [
          {
            path: ['sources', 'warehouse', 'adapter', 'applications', 0],
            says: expect.stringContaining(says),
          },
        ],
      });
  });

  test('the properties of an adapter that pulls are set and reset, and no other adapter has them', async () => {
    const { version, configuration } = await inForce();
    const racf = { kind: 'pull', settings: { names: 'ignore-case' }, adapter: {} };
    const added = { ...configuration, sources: { ...configuration.sources, racf } };
    await api.send('POST', '/v1/configuration/apply', { body: { document: added, version } });
    const set = [
      'adapters',
      'set-props',
      'racf',
      '--set',
      'retryCount=3',
      '--set',
      'maxPending=16',
    ];
    await edit(...set, '--set', 'storeWhenOffline=no');
    expect(await sourceOf('racf')).toMatchObject({
      settings: { names: 'ignore-case', retryCount: 3, maxPending: 16, storeWhenOffline: false },
    });
    await edit('adapters', 'set-props', 'racf', '--set', 'retryCount=default');
    expect((await sourceOf('racf'))?.settings).not.toHaveProperty('retryCount');
    await edit('adapters', 'create', 'warehouse');
    const other = await run(['adapters', 'set-props', 'warehouse', '--set', 'retryCount=3']);
    await edit('adapters', 'delete', 'warehouse');
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('no properties')]);
    const wrong = await run(['adapters', 'set-props', 'racf', '--set', 'retryCount=many', '--yes']);
    expect(wrong.code).toBe(2);
  });

  test('a dry run shows what would change and changes nothing', async () => {
    const before = await inForce();
    const { code, stdout } = await run([
      ...['sso', 'switches', '--set', 'adaptersToStore=on', '--dry-run'],
    ]);
    expect([code, stdout]).toEqual([0, expect.stringContaining('adaptersToStore')]);
    expect(await inForce()).toEqual(before);
  });

  test.each([
    ['an unknown flag', ['adapters', 'update', 'crm', '--set', 'x=yes'], 'Give one of'],
    ['an adapter and a group', ['adapters', 'enable', 'crm', '--group', 'x'], 'or --group'],
    ['an unknown switch', ['sso', 'switches', '--set', 'all=on'], 'Give one of'],
  ])('%s is refused with what to do next', async (_what, args, says) => {
    const ended = await run(args);
    expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining(says)]);
  });
});
