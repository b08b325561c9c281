import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Attribute, Change, Client } from 'ldapts';
import { isRoot } from '../../local/places';
import { freePort } from '../../local/ports';
import { type Directory, ldifEntry, type Slapd, ssha, startSlapd } from '../../local/slapd';
import { Secret } from '../../model/passwords/secret';
import { describeWith } from '../support/servers';

const ADMIN_PASSWORD = 'of the administrator';

const directory = (name: string, description: string): Directory => ({
  suffix: `dc=${name}`,
  adminHash: ssha(Secret.fromText(ADMIN_PASSWORD)),
  policy: { description, pwdMinLength: '9', pwdCheckQuality: '2' },
  rules: ['access to * by users read by anonymous auth'],
  ldif: ldifEntry(`dc=${name}`, { objectClass: 'domain', dc: name }),
});

describeWith(['slapd'], 'startSlapd', () => {
  let parent: string;
  let dir: string;
  let port: number;

  beforeAll(async () => {
    const shared = isRoot ? '/var/tmp' : path.resolve('.lockstep');
    mkdirSync(shared, { recursive: true });
    parent = mkdtempSync(path.join(shared, 'slapd test-'));
    chmodSync(parent, 0o755);
    dir = path.join(parent, 'a "quoted" \\ folder');
    port = await freePort();
  });
  afterAll(() => rmSync(parent, { recursive: true }));

  const withServer = async (work: (server: Slapd) => Promise<void>) => {
    const directories = [directory('one', 'of one'), directory('two', 'of two')];
    const server = await startSlapd({ dir, port, directories, report: () => {} });
    try {
      await work(server);
    } finally {
      await server.stop();
    }
  };

  const as = async <T>(server: Slapd, dn: string, work: (client: Client) => Promise<T>) => {
    const tlsOptions = { ca: [readFileSync(server.caFile)] };
    const client = new Client({ url: server.url, tlsOptions });
    try {
      await client.bind(dn, ADMIN_PASSWORD);
      return await work(client);
    } finally {
      await client.unbind();
    }
  };

  const description = (client: Client, dn: string) =>
    client
      .search(dn, { scope: 'base', attributes: ['description'] })
      .then(({ searchEntries }) => searchEntries[0]?.description);

  test('each suffix has its own administrator and policy, also in a folder whose name needs quotes', () =>
    withServer(async (server) => {
      for (const name of ['one', 'two'])
        await as(server, `cn=admin,dc=${name}`, async (client) =>
          expect(await description(client, `cn=policy,dc=${name}`)).toBe(`of ${name}`),
        );
    }));

  test('a second start on the same folder has the data of the first', async () => {
    const modification = new Attribute({ type: 'description', values: ['written'] });
    await withServer((server) =>
      as(server, 'cn=admin,dc=one', (client) =>
        client.modify('cn=policy,dc=one', new Change({ operation: 'replace', modification })),
      ),
    );
    await withServer((server) =>
      as(server, 'cn=admin,dc=one', async (client) =>
        expect(await description(client, 'cn=policy,dc=one')).toBe('written'),
      ),
    );
  });

  test('the data of an interrupted first start are made again', async () => {
    rmSync(path.join(dir, 'db-1', 'seeded'));
    await withServer((server) =>
      as(server, 'cn=admin,dc=two', async (client) =>
        expect(await description(client, 'cn=policy,dc=two')).toBe('of two'),
      ),
    );
  });
});
