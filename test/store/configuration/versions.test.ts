import { sql } from 'kysely';
import { emptyConfiguration } from '../../../model/configuration/document';
import { currentConfiguration } from '../../../store/configuration/versions';
import { type TestDatabase, testDatabase } from '../../support/database';
import { describeWith } from '../../support/servers';

describeWith(['postgres'], 'a configuration that an older release has stored', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await testDatabase();
  });
  afterEach(() => database.close());

  const store = (document: object) =>
    sql`insert into configuration (version, document, applied_by)
        values (1, ${JSON.stringify(document)}::jsonb, 'an older release')`.execute(database.db);

  test('a configuration of an older release gets the defaults of newer fields', async () => {
    await store({
      version: 1,
      sources: { apps: { kind: 'ldap', settings: {} } },
      groups: { all: { policy: 'everyone', authSource: 'apps', sources: ['apps'] } },
    });
    const { configuration } = await currentConfiguration(database.db);
    expect(configuration.sources.apps).toMatchObject({ prove: 'always', lane: 'inline' });
    expect(configuration.groups.all).toMatchObject({ failureMode: 'continue' });
  });

  test('a configuration that is no longer valid stays in force, and sections that it lacks are empty', async () => {
    const stricter = { version: 1, sources: {}, policies: { all: { preset: 'asvs-l2' } } };
    await store(stricter);
    expect((await currentConfiguration(database.db)).configuration).toEqual({
      ...emptyConfiguration,
      ...stricter,
    });
  });
});
