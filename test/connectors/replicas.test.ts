import type { Connector } from '../../connectors/contract';
import { accountRulesOf } from '../../connectors/registry';
import { configurationSchema } from '../../model/configuration/document';
import { applyConfiguration } from '../../store/configuration/versions';
import { readReplicas } from '../../store/sources/replicas';
import { lookAtReplicas } from '../../worker/replicas';
import { testDatabase } from '../support/database';
import { testConfiguration } from '../support/played-worker';
import { describeWith, server } from '../support/servers';
import { ds389Suffix } from '../support/servers/ds389';
import { suffixes } from '../support/servers/slapd';
import { activeDirectorySubject, domainAdmin } from './active-directory-subject';
import { ds389Admin, ds389Subject } from './ldap-389ds-subject';
import { ldapSubject } from './ldap-subject';
import { openSubject } from './open-subject';

async function read(connector: Connector) {
  const answer = await connector.replicas?.();
  if (answer?.result !== 'replicas') throw new Error(JSON.stringify(answer));
  return [...answer.replicas].sort((one, other) => (one.host < other.host ? -1 : 1));
}

describeWith(['samba', 'postgres'], 'the servers of a domain', () => {
  const subject = activeDirectorySubject(domainAdmin);
  const facts = () => server('samba');
  const computer = (name: string) => `CN=${name},OU=Domain Controllers,${facts().base}`;
  const ownHost = () => facts().serverName ?? '';
  const hostOf = (name: string) => `${name}${ownHost().slice(ownHost().indexOf('.'))}`;
  let connector: Connector;

  beforeAll(async () => {
    connector = await openSubject(subject);
    const { client } = await domainAdmin();
    for (const [name, userAccountControl] of [
      ['dc8', 0x2000],
      ['dc9', 0x4001000],
    ] as const)
      await client.add(computer(name), {
        ...{ objectClass: 'computer', sAMAccountName: `${name}$`, dNSHostName: hostOf(name) },
        userAccountControl: String(userAccountControl),
      });
    await client.unbind();
  });
  afterAll(async () => {
    const { client } = await domainAdmin();
    for (const name of ['dc8', 'dc9']) await client.del(computer(name));
    await client.unbind();
    await connector.close();
  });

  const all = () => [
    { host: ownHost(), writable: true },
    { host: hostOf('dc8'), writable: true },
    { host: hostOf('dc9'), writable: false },
  ];

  test('replicas returns the domain controllers, and marks the read-only ones', async () => {
    expect(await read(connector)).toEqual(all());
  });

  test('a worker stores the servers of each source with captures, even if another source fails', async () => {
    const database = await testDatabase();
    const { crm, directory, ...sources } = testConfiguration.sources;
    const capture = { enabled: true };
    const configuration = {
      ...testConfiguration,
      sources: { crm: { ...crm, capture }, ...sources, directory: { ...directory, capture } },
    };
    await applyConfiguration(
      database.db,
      configurationSchema.parse(configuration),
      0,
      'test',
      accountRulesOf,
    );
    const requested: string[] = [];
    await lookAtReplicas({
      db: database.db,
      connector: async (source) => {
        requested.push(source);
        if (source === 'crm') throw new Error('its settings are wrong');
        return connector;
      },
    });
    const stored = (await readReplicas(database.db)).get('directory');
    expect([requested, stored?.length]).toEqual([['crm', 'directory'], 3]);
    await database.close();
  });
});

describeWith(['ds389'], 'the servers of 389 Directory Server', () => {
  const subject = ds389Subject(ds389Admin);
  const replica = `cn=replica,cn="${ds389Suffix}",cn=mapping tree,cn=config`;
  const aci =
    '(targetattr="nsds50ruv || objectClass || nsuniqueid")(version 3.0; acl "servers"; allow (read, search, compare) userdn="ldap:///all";)';

  test('replicas returns the suppliers if the directory is replicated and the service account may read them', async () => {
    const connector = await openSubject(subject);
    expect(await read(connector)).toEqual([]);
    const admin = await ds389Admin();
    await admin.client.add(replica, {
      ...{ objectClass: ['top', 'nsDS5Replica'], cn: 'replica', nsDS5ReplicaId: '7' },
      ...{ nsDS5ReplicaRoot: ds389Suffix, nsDS5Flags: '1', nsDS5ReplicaType: '3' },
      ...{ nsDS5ReplicaBindDN: 'cn=replication manager,cn=config', aci },
    });
    // The server adds itself to the list with its first change.
    await admin.addAccount();
    const suppliers = await read(connector);
    await admin.client.del(replica);
    expect(suppliers).toEqual([{ host: expect.stringMatching(/\w/), writable: true }]);
    await admin.close();
    await connector.close();
  });
});

describeWith(['slapd'], 'the servers of OpenLDAP', () => {
  const subject = ldapSubject({ title: 'servers', suffix: suffixes.corp, changes: {} });

  test('replicas returns an empty list for OpenLDAP, which does not publish its servers', async () => {
    const connector = await openSubject(subject);
    expect(await read(connector)).toEqual([]);
    await connector.close();
  });
});
