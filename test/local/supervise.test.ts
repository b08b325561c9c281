import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Client as LdapClient } from 'ldapts';
import { isRoot } from '../../local/places';
import { acceptsConnections } from '../../local/ports';
import { clientOf, supervisePostgres } from '../../local/postgres';
import type { RunningServer } from '../../local/processes';
import { ssha, superviseSlapd } from '../../local/slapd';
import { searchAttributes, superviseTemporal } from '../../local/temporal';
import { Secret } from '../../model/passwords/secret';
import { describeWith, server } from '../support/servers';
import { until } from '../support/until';

const report = () => {};

describeWith(['postgres', 'slapd', 'temporal'], 'a server of "lockstep up" that is killed', () => {
  const dir = mkdtempSync(path.join(isRoot ? '/var/tmp' : os.tmpdir(), 'lockstep-kept-'));
  chmodSync(dir, 0o755);
  const running: RunningServer[] = [];
  const started = async <Server extends RunningServer>(starting: Promise<Server>) => {
    const one = await starting;
    running.push(one);
    return one;
  };
  afterAll(async () => {
    await Promise.all(running.map((one) => one.stop()));
    rmSync(dir, { recursive: true });
  });

  async function killed(one: RunningServer): Promise<void> {
    const { pid } = one;
    process.kill(pid, 'SIGKILL');
    await until(() => one.pid !== pid);
  }

  test('PostgreSQL comes back on its port with its data', async () => {
    const postgres = await started(
      supervisePostgres({ dir: path.join(dir, 'postgres'), durable: false, report }),
    );
    const query = async (text: string) => {
      const client = clientOf({ connectionString: postgres.url });
      client.on('error', () => {});
      await client.connect();
      try {
        return (await client.query(text)).rows;
      } finally {
        await client.end();
      }
    };
    await query('create table kept as select 42 as answer');
    await killed(postgres);
    expect(await query('select answer from kept')).toEqual([{ answer: 42 }]);
  });

  test('OpenLDAP comes back on its port with its data', async () => {
    const suffix = 'dc=kept';
    const admin = 'a password of the administrator';
    const slapd = await started(
      superviseSlapd({
        dir: path.join(dir, 'slapd'),
        directories: [
          {
            ...{ suffix, policy: {}, rules: [] },
            adminHash: ssha(Secret.fromText(admin)),
            ldif: `dn: ${suffix}\nobjectClass: domain\ndc: kept\n\n`,
          },
        ],
        report,
      }),
    );
    const asAdmin = async <T>(work: (client: LdapClient) => Promise<T>): Promise<T> => {
      const client = new LdapClient({ url: slapd.url, tlsOptions: { rejectUnauthorized: false } });
      await client.bind(`cn=admin,${suffix}`, admin);
      try {
        return await work(client);
      } finally {
        await client.unbind();
      }
    };
    await asAdmin((client) =>
      client.add(`ou=people,${suffix}`, { objectClass: 'organizationalUnit', ou: 'people' }),
    );
    await killed(slapd);
    const { searchEntries } = await asAdmin((client) =>
      client.search(`ou=people,${suffix}`, { scope: 'base' }),
    );
    expect(searchEntries).toHaveLength(1);
  });

  test('Temporal comes back on its ports', async () => {
    const temporal = await started(
      superviseTemporal({
        dir: path.join(dir, 'temporal'),
        binary: server('temporal').cliPath ?? '',
        namespace: 'kept',
        searchAttributes,
      }),
    );
    const [host = '', port] = temporal.address.split(':');
    const answers = async () => [
      (await fetch(String(temporal.uiUrl))).status,
      await acceptsConnections({ host, port: Number(port) }),
    ];
    expect(await answers()).toEqual([200, true]);
    await killed(temporal);
    expect(await answers()).toEqual([200, true]);
  });
});
