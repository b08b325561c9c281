import { sql } from 'kysely';
import { exactNaming } from '../../../model/people/naming';
import { findIdentity } from '../../../store/people/identities';
import { unlinkAccount } from '../../../store/people/links';
import { enableMapping, linkMapping } from '../../../store/people/mappings';
import {
  advanceMappings,
  flagMappings,
  readMappingsToSettle,
} from '../../../store/worker/credentials';
import { type TestDatabase, testDatabase } from '../../support/database';
import { addPerson, planned, settled } from '../../support/played-worker';
import { describeWith } from '../../support/servers';

/** Rule 32 of the reference semantics: a mapping that is removed while a change runs is left out, and nothing fails. */
describeWith(['postgres'], 'mappings that are removed while a change runs', () => {
  let database: TestDatabase;
  let identityId: string;

  beforeEach(async () => {
    database = await testDatabase();
    const { db } = database;
    await addPerson(db, 'alice', ['directory', 'warehouse']);
    const alice = await findIdentity(db, { name: 'alice' });
    identityId = alice?.id ?? '';
    const account = alice?.accounts.find(({ source }) => source === 'warehouse');
    const link = { identityId, application: 'reports', accountId: account?.id ?? '' };
    await linkMapping(db, { ...link, enabled: true }, 'test');
    await sql`insert into change (id, identity_id, identity_name, seq, groups, requested_by, requested_by_name,
                                  configuration_version, expires_at)
              values ('chg_1', ${identityId}, 'alice', 1, '{all}', 'k', 'k', 0, now() + interval '1 day')`.execute(
      db,
    );
    await planned(db, 'chg_1', 'alice');
    for (const label of ['directory', 'warehouse']) await settled(database.db, 'chg_1', label);
  });
  afterEach(() => database.close());

  const change = { id: 'chg_1', seq: 1 };
  const toSettle = () => readMappingsToSettle(database.db, 'chg_1');
  const audited = async () =>
    (
      await database.db
        .selectFrom('audit')
        .select('action')
        .where('subject', 'like', 'map_%')
        .execute()
    ).map(({ action }) => action);

  test('a mapping that is disabled before it is advanced keeps its credential', async () => {
    const [mapping] = await toSettle();
    const id = mapping?.id ?? '';
    // The account holds the password of the change, so that only the disabled mapping keeps it from advancing.
    await sql`update account set applied_seq = 1 where source = 'warehouse'`.execute(database.db);
    await enableMapping(database.db, id, false, 'test');
    await advanceMappings(database.db, change, [
      { id, sealed: Buffer.from('sealed'), masterKeyId: 'master', storedFrom: 'captured' },
    ]);
    expect(await toSettle()).toMatchObject([{ id, enabled: false }]);
    await flagMappings(database.db, change, [{ id, reason: 'mapping_disabled' }]);
    expect(await database.db.selectFrom('mapping').selectAll().execute()).toMatchObject([
      { enabled: false, sealed: null, state: 'out_of_sync', reason: 'mapping_disabled' },
    ]);
  });

  test.each([
    ['a mapping that is removed', () => sql`delete from mapping`.execute(database.db)],
    [
      'a mapping whose account is unlinked',
      () =>
        unlinkAccount(
          database.db,
          'alice',
          { source: 'warehouse', name: 'alice' },
          'test',
          exactNaming,
        ),
    ],
  ])('%s before it is advanced is left out without an error', async (_what, remove) => {
    const [mapping] = await toSettle();
    const id = mapping?.id ?? '';
    expect(mapping).toMatchObject({ application: 'reports' });
    await remove();
    await advanceMappings(database.db, change, [
      { id, sealed: Buffer.from('sealed'), masterKeyId: 'master', storedFrom: 'captured' },
    ]);
    await flagMappings(database.db, change, [{ id, reason: 'in_doubt' }]);
    expect(await database.db.selectFrom('mapping').selectAll().execute()).toEqual([]);
    expect(await audited()).toEqual(['mapping.linked']);
    expect(await toSettle()).toEqual([]);
  });
});
