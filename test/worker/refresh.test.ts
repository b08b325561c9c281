import type { Dependencies } from '../../activities/dependencies';
import type { ListAnswer } from '../../connectors/contract';
import type { SourceConfiguration } from '../../model/configuration/document';
import type { Job } from '../../store/sources/jobs';
import { refreshSource } from '../../worker/jobs/refresh-source';
import { ldapAdmin, ldapSubject } from '../connectors/ldap-subject';
import { openSubject } from '../connectors/open-subject';
import { type TestDatabase, testDatabase } from '../support/database';
import { describeWith } from '../support/servers';
import { suffixes } from '../support/servers/slapd';

describeWith(['slapd', 'postgres'], 'a refresh', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.close());

  const source = {
    kind: 'ldap',
    correlate: [],
    createIdentities: { name: 'uid', attributes: { display: 'cn' } },
  } as unknown as SourceConfiguration;
  const refresh = async (name: string, connector: Parameters<typeof refreshSource>[3]) =>
    refreshSource(
      { db: database.db } as Dependencies,
      {
        id: 'job',
        source: name,
        kind: 'refresh',
        parameters: {},
        requestedBy: 'test',
      } as unknown as Job,
      source,
      connector,
    );
  const linked = async (name: string) =>
    (
      await database.db.selectFrom('account').select('name').where('source', '=', name).execute()
    ).map((account) => account.name);

  const subject = ldapSubject({ title: 'refresh', suffix: suffixes.free, changes: {} });

  test('a refresh skips and names an account with a NUL byte, and links the others', async () => {
    const admin = await ldapAdmin(suffixes.free);
    const odd = await admin.addAccount({ cn: 'odd\0name' });
    const good = await admin.addAccount();
    const connector = await openSubject(subject);
    const result = await refresh('directory', connector);
    expect(result).toMatchObject({
      failed: null,
      unreadable: { count: 1, first: [odd.ref.name] },
    });
    const names = await linked('directory');
    expect(names).toContain(good.ref.name);
    expect(names).not.toContain(odd.ref.name);
    await admin.client.del(odd.ref.name);
    await admin.close();
    await connector.close();
  });

  test('a refresh links nothing by a partial list', async () => {
    const admin = await ldapAdmin(suffixes.free);
    await admin.addAccount();
    const connector = await openSubject(subject);
    let pages = 0;
    const cutShort: typeof connector.list = async (request): Promise<ListAnswer> =>
      ++pages === 1
        ? {
            ...((await connector.list(request)) as Extract<ListAnswer, { result: 'page' }>),
            cursor: 'next',
          }
        : { result: 'failed', reason: 'not_supported', vendorCode: '4' };
    const result = await refresh('partial', { ...connector, list: cutShort });
    expect(result).toMatchObject({ failed: 'not_supported', linked: 0, peopleAdded: 0 });
    expect(result.read).toBeGreaterThan(0);
    expect(await linked('partial')).toEqual([]);
    await admin.close();
    await connector.close();
  });
});
