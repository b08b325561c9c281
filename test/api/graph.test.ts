import { parse } from 'yaml';
import { accountRulesOf, connectorKinds } from '../../connectors/registry';
import {
  appsDn,
  corpDn,
  type DemoPerson,
  HERO,
  HERO_SECOND_ACCOUNT,
  mailOf,
  people,
} from '../../local/demo/company';
import { demoConfiguration } from '../../local/demo/configuration';
import type { DemoSystems } from '../../local/demo/systems';
import { checkConfiguration } from '../../model/configuration/check';
import type { Configuration } from '../../model/configuration/document';
import { exactRules } from '../../model/people/naming';
import { applyConfiguration } from '../../store/configuration/versions';
import { saveIdentity } from '../../store/people/identities';
import { startTestApi, type TestApi } from '../support/api';
import { linesOf, objectionsTo, type Payload } from '../support/opengraph';
import { planned, settled } from '../support/played-worker';
import { describeWith } from '../support/servers';
import { until } from '../support/until';

/** The demo systems, as far as the demo configuration refers to them. */
const systems = {
  slapd: { url: 'ldaps://127.0.0.1:6636', caFile: '/ca.pem' },
  postgres: { port: 5432, caFile: '/ca.pem' },
  databaseUrl: 'postgres://127.0.0.1:5432/harborlane',
  domain: {
    settings: {
      url: 'ldaps://127.0.0.2',
      bindDn: 'CN=lockstep,CN=Users,DC=ad,DC=example',
      base: 'OU=people,DC=ad,DC=example',
    },
  },
  secretFiles: Object.fromEntries(
    ['corp-directory', 'apps-directory', 'warehouse', 'crm', 'ad'].map((name) => [
      name,
      `/${name}`,
    ]),
  ),
} as unknown as DemoSystems;

function demo(): Configuration {
  const checked = checkConfiguration(parse(demoConfiguration(systems)), connectorKinds);
  if (!checked.valid) throw new Error(JSON.stringify(checked.issues));
  return checked.configuration;
}

const adDn = ({ name }: DemoPerson): string => `CN=${name},OU=people,DC=ad,DC=example`;

/** The expected accounts of a person as pairs of source and name, derived from the demo people instead of the graph. */
const accountsOf = (person: DemoPerson): readonly (readonly [string, string])[] => [
  ['corp-directory', corpDn(person.name)],
  ...(person.apps
    ? ([
        ['apps-directory', appsDn(person.name)],
        ['ad', adDn(person)],
      ] as const)
    : []),
  ...(person.name === HERO ? ([['apps-directory', appsDn(HERO_SECOND_ACCOUNT)]] as const) : []),
  ...(person.warehouse ? ([['warehouse', person.name]] as const) : []),
  ...(person.crm ? ([['crm', mailOf(person)]] as const) : []),
];

const SERVICE: Readonly<Record<string, string>> = {
  'corp-directory': 'cn=lockstep,ou=services,dc=harborlane,dc=example',
  'apps-directory': 'cn=lockstep,ou=services,o=apps',
  warehouse: 'lockstep_warehouse',
  crm: 'lockstep_crm',
  ad: 'CN=lockstep,CN=Users,DC=ad,DC=example',
};
const sources = Object.keys(SERVICE);

describeWith(['postgres'], 'the graph of the demo company', () => {
  let api: TestApi;
  let own: Payload;

  const get = (address = '', key?: string) =>
    api.send('GET', `/v1/graph${address}`, key === undefined ? {} : { key });
  const payload = async (address = ''): Promise<Payload> =>
    (await get(address)).body as unknown as Payload;

  beforeAll(async () => {
    api = await startTestApi();
    const { db } = api.database;
    await applyConfiguration(db, demo(), 0, 'test', accountRulesOf);
    for (const one of people) {
      const links = accountsOf(one).map(([source, name]) => {
        const primary = name !== appsDn(HERO_SECOND_ACCOUNT);
        return { source, name, nativeId: null, primary };
      });
      await saveIdentity(
        db,
        { name: one.name, attributes: {} },
        links,
        'operator',
        'test',
        () => exactRules,
      );
    }
    await api.newKey(['trigger', 'read'], ['one-password']);
    await api.newKey(['read']);
    await api.newKey(['capture']);
    own = await payload();
  });
  afterAll(() => api.stop());

  const edgesOf = (kind: string): string[] => {
    const edges = own.graph.edges.filter((one) => one.kind === `Lockstep_${kind}`);
    return linesOf({ ...own.graph, edges }).sort();
  };

  test('both payloads conform to the published schemas', async () => {
    expect(own.metadata).toEqual({ source_kind: 'Lockstep' });
    expect(objectionsTo(own)).toEqual([]);
    expect(objectionsTo(await payload('?part=hybrid'))).toEqual([]);
  });

  const everyAccount = (line: (source: string, at: string, one: DemoPerson) => string) =>
    people
      .flatMap((one) =>
        accountsOf(one).map(([source, name]) => line(source, `Account ${name}@${source}`, one)),
      )
      .sort();
  const auth = ({ name }: DemoPerson) => `Account ${corpDn(name)}@corp-directory`;
  const others = (line: (at: string, one: DemoPerson) => string) =>
    everyAccount((source, at, one) => (source === 'corp-directory' ? '' : line(at, one))).filter(
      (one) => one !== '',
    );

  test.each<[string, () => string[]]>([
    ['PasswordSync', () => others((at, one) => `${auth(one)} -PasswordSync-> ${at}`)],
    ['SamePassword', () => others((at, one) => `${at} -SamePassword-> ${auth(one)}`)],
    [
      'ReadPasswordUpdates',
      () => everyAccount((_, at) => `Deployment Lockstep -ReadPasswordUpdates-> ${at}`),
    ],
    ['Covers', () => everyAccount((_, at) => `Group one-password -Covers-> ${at}`)],
    ['HasAccount', () => everyAccount((source, at) => `Source ${source} -HasAccount-> ${at}`)],
    [
      'ResetPassword',
      () =>
        everyAccount(
          (source, at) => `ServiceAccount ${SERVICE[source]}@${source} -ResetPassword-> ${at}`,
        ),
    ],
    [
      'HoldsCredential',
      () =>
        sources.map(
          (name) =>
            `Deployment Lockstep -HoldsCredential-> ServiceAccount ${SERVICE[name]}@${name}`,
        ),
    ],
    ['InGroup', () => sources.map((name) => `Source ${name} -InGroup-> Group one-password`)],
    [
      'Contains',
      () =>
        ['Group one-password', ...sources.map((name) => `Source ${name}`)].map(
          (what) => `Deployment Lockstep -Contains-> ${what}`,
        ),
    ],
    ['SetPasswords', () => ['ApiKey trigger+read -SetPasswords-> Group one-password']],
    ['Administers', () => ['ApiKey first admin -Administers-> Deployment Lockstep']],
  ])('the graph has exactly the %s edges that the configuration implies', (kind, expected) => {
    expect(edgesOf(kind)).toEqual(expected().sort());
  });

  test('the graph has no edges of other kinds', () => {
    const kinds = new Set(own.graph.edges.map(({ kind }) => kind.replace('Lockstep_', '')));
    expect([...kinds].sort()).toEqual(
      [
        ...['Administers', 'Contains', 'Covers', 'HasAccount', 'HoldsCredential', 'InGroup'],
        ...['PasswordSync', 'ReadPasswordUpdates', 'ResetPassword', 'SamePassword', 'SetPasswords'],
      ].sort(),
    );
  });

  test('only the sources in the database are marked as receiving hashes only', () => {
    const hashed = own.graph.nodes
      .filter(({ kinds, properties }) => kinds[0] === 'Lockstep_Source' && properties.hashonly)
      .map(({ properties }) => properties.name);
    expect(hashed.sort()).toEqual(['crm', 'warehouse']);
  });

  test('the hybrid payload matches domain users by name and creates no nodes', async () => {
    const hybrid = await payload('?part=hybrid');
    expect(hybrid.metadata).toBeUndefined();
    expect(hybrid.graph.nodes).toEqual([]);
    const domain = [...people.filter(({ apps }) => apps).map(adDn), SERVICE.ad ?? ''];
    const matched = hybrid.graph.edges.flatMap(({ start, end }) =>
      [start, end].flatMap((at) =>
        at.match_by === 'property' ? at.property_matchers.map(({ value }) => value) : [],
      ),
    );
    expect(matched.sort()).toEqual(
      domain
        .flatMap((dn) => [dn, dn])
        .map((dn) => dn.toUpperCase())
        .sort(),
    );
  });

  test('an account node shows when it last received a password, and whether that is the newest one', async () => {
    const { db, pool } = api.database;
    const body = { identity: HERO, password: 'correct horse battery staple' };
    const change = String((await api.send('POST', '/v1/changes', { body })).body.id);
    await planned(db, change, HERO, ['corp-directory', 'warehouse', 'crm']);
    // The worker claims the account in this way before it writes.
    await pool.query(
      `update account set claimed_seq = 1 where identity_id = (select id from identity where name = $1)`,
      [HERO],
    );
    await settled(db, change, 'corp-directory');
    await settled(db, change, 'crm');
    await settled(db, change, 'warehouse', { state: 'rejected', reason: 'policy_too_short' });
    const { graph } = await payload();
    const account = (name: string) =>
      graph.nodes.find(({ properties }) => properties.name === name);
    const [corp, crm, warehouse] = [
      account(`${corpDn(HERO)}@corp-directory`),
      account(`${HERO}@harborlane.example@crm`),
      account(`${HERO}@warehouse`),
    ];
    const took = Date.parse(String(corp?.properties.lastsuccess));
    expect(Date.now() - took).toBeLessThan(60_000);
    expect(warehouse?.properties.lastsuccess).toBeUndefined();
    const inSync = (end: { readonly id: string } | undefined) =>
      graph.edges
        .filter(({ kind }) => kind === 'Lockstep_PasswordSync')
        .find((one) => 'value' in one.end && one.end.value === end?.id)?.properties.insync;
    expect([inSync(crm), inSync(warehouse)]).toEqual([true, false]);
  });

  test('the picture and the schema are served to admin keys only', async () => {
    const picture = await get('/picture');
    expect(picture.headers.get('content-type')).toBe('image/svg+xml');
    expect(picture.text).toBe((await get('/picture')).text);
    for (const source of sources) expect(picture.text).toContain(`>${source}</text>`);
    expect((await get('/schema')).body).toMatchObject({ schema: { namespace: 'Lockstep' } });
    const reader = await api.newKey(['read']);
    for (const address of ['', '?part=hybrid', '/picture', '/schema'])
      expect((await get(address, reader)).status).toBe(403);
  });

  describe('with many more people', () => {
    const MANY = 5_000;

    beforeAll(async () => {
      await api.database.pool.query(
        `insert into identity (id, name) select 'idn_z' || n, 'person-' || n from generate_series(1, $1::int) n`,
        [MANY],
      );
      await api.database.pool.query(
        `insert into account (id, identity_id, source, name, name_key, linked_by)
         select 'acc_' || s || n, 'idn_z' || n, s, 'person-' || n, 'person-' || n, 'refresh'
         from generate_series(1, $1::int) n, unnest($2::text[]) s`,
        [MANY, ['corp-directory', 'warehouse', 'crm']],
      );
    });

    const open = async () => {
      const response = await fetch(`${api.url}/v1/graph`, {
        headers: { authorization: `Bearer ${api.adminKey()}` },
      });
      const reader = response.body?.getReader();
      if (reader === undefined) throw new Error('no body');
      return reader;
    };
    const reading = async (): Promise<number> => {
      const { rows } = await api.database.pool.query(
        `select 1 from pg_stat_activity where datname = current_database() and application_name = 'lockstep api'
           and xact_start is not null`,
      );
      return rows.length;
    };

    test('nodes and edges are a consistent snapshot, even if data changes while they are sent', async () => {
      const reader = await open();
      const first = await reader.read();
      expect(await reading()).toBe(1);
      await api.database.pool.query(`delete from identity where name = $1`, [people[0]?.name]);
      const pieces = [first.value];
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        pieces.push(value);
      }
      const { graph } = JSON.parse(
        Buffer.concat(pieces.map((one) => one ?? Buffer.alloc(0))).toString(),
      ) as Payload;
      const accounts = graph.nodes.filter(({ kinds }) => kinds[0] === 'Lockstep_Account');
      expect(accounts.length).toBeGreaterThan(3 * MANY);
      const held = graph.edges.flatMap(({ kind, end }) =>
        kind === 'Lockstep_HasAccount' && end.match_by === 'id' ? [end.value] : [],
      );
      expect(new Set(held)).toEqual(new Set(accounts.map(({ id }) => id)));
    }, 120_000);

    test('a client that disconnects leaves no open database snapshot', async () => {
      const reader = await open();
      await reader.read();
      await reader.cancel();
      await until(async () => (await reading()) === 0);
      expect(api.printed()).not.toContain('a request failed');
    }, 120_000);
  });
});
